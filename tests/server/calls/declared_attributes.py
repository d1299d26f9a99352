"""The attributes that the tests of profile calls declare."""

from adtargeting.v1 import profile_pb2 as pb
from adtargeting.v1 import targeting_pb2
from adtargeting.v1.preference_pb2 import Date

DECLARED = pb.DeclaredAttributes(
    birth_date=Date(year=1990, month=2, day=28),
    gender=targeting_pb2.GENDER_FEMALE,
    occupation="baker",
    postal_code="SW1A 1AA",
    country="gbr",
    language="en-gb",
)
PATHS = ("birth_date", "gender", "occupation", "postal_code", "country", "language")
