"""The profile fields that a third-party network may ever receive (``adtargeting.v1.ThirdPartyProfile``)."""

SHAREABLE_FIELDS = ("age_bracket", "gender", "country", "language", "interests")
