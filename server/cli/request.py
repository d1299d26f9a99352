"""An ad request from the command line: the arguments of ``decide`` and ``explain``."""

from argparse import ArgumentParser, ArgumentTypeError, BooleanOptionalAction, Namespace, _ActionsContainer

from adtargeting.v1 import targeting_pb2 as pb

from server.cli.command import text

_INDUSTRY = {
    "daa": pb.INDUSTRY_OPT_OUT_DAA,
    "nai": pb.INDUSTRY_OPT_OUT_NAI,
    "edaa": pb.INDUSTRY_OPT_OUT_EDAA,
    "daac": pb.INDUSTRY_OPT_OUT_DAAC,
}
_GPP_SECTION_BITS = 31


def add_request(parser: ArgumentParser) -> None:
    """Add an option for every field of an ad request."""
    _add_person(parser)
    _add_browser(parser)
    _add_signals(parser)
    parser.add_argument(
        "--network", action="append", type=text, default=[], metavar="ID", help="third-party network; repeatable"
    )
    parser.add_argument("--request-id", type=text, default="", metavar="ID", help="request id, echoed in the answer")
    parser.add_argument("--json", action="store_true", help="print the whole answer as JSON")


def add_dry_run(parser: ArgumentParser, *, default: bool) -> None:
    """Add the option that keeps the service from storing an opt-out that a signal carries."""
    usual = "the default" if default else "by default it is stored"
    parser.add_argument(
        "--dry-run", action=BooleanOptionalAction, default=default, help=f"store no opt-out of a signal ({usual})"
    )


def request_from(options: Namespace) -> pb.DecideRequest:
    """Return the request that the options describe."""
    return pb.DecideRequest(
        request_id=options.request_id,
        account_id=options.account,
        linked_account_ids=options.linked,
        device_id=options.device,
        ip=options.ip,
        accept_language=options.accept_language,
        cookie_header=options.cookie,
        client=pb.ClientSettings(
            app=options.app,
            targeted_ads_off=options.targeted_ads_off,
            country=options.country,
            language=options.language,
        ),
        signals=_signals(options),
        third_party_networks=options.network,
    )


def _signals(options: Namespace) -> pb.PrivacySignals:
    return pb.PrivacySignals(
        child_directed=options.child,
        global_privacy_control=options.gpc,
        do_not_track=options.dnt,
        limit_ad_tracking=options.lmt,
        gdpr_applies=options.gdpr,
        tcf_consent=options.tcf,
        gpp=options.gpp,
        gpp_section_ids=[section for sections in options.gpp_sid for section in sections],
        us_privacy=options.usp,
        industry_opt_outs=[_INDUSTRY[body] for body in options.industry],
    )


def _add_person(parser: ArgumentParser) -> None:
    person = parser.add_argument_group("subject")
    _add_texts(person, {
        "--account": ("ID", "id of the signed-in account"),
        "--device": ("ID", "browser or device id (default: the MUID cookie)"),
        "--country": ("CODE", "country set in the client"),
        "--language": ("TAG", "language set in the client"),
        "--app": ("ID", "bundle or store id of the app; empty on the web"),
    })  # fmt: skip
    person.add_argument(
        "--linked", action="append", type=text, default=[], metavar="ID", help="linked account; repeatable"
    )


def _add_browser(parser: ArgumentParser) -> None:
    browser = parser.add_argument_group("browser or app")
    _add_texts(browser, {
        "--ip": ("ADDRESS", "client address"),
        "--accept-language": ("HEADER", "Accept-Language header"),
        "--cookie": ("HEADER", "Cookie header"),
    })  # fmt: skip


def _add_signals(parser: ArgumentParser) -> None:
    signals = parser.add_argument_group("privacy signals")
    for flag, meaning in {
        "--child": "the service is directed at children (COPPA)",
        "--targeted-ads-off": "targeted ads are turned off in the client",
        "--gpc": "Global Privacy Control (Sec-GPC: 1)",
        "--dnt": "Do Not Track (DNT: 1)",
        "--lmt": "Limit Ad Tracking",
    }.items():
        signals.add_argument(flag, action="store_true", help=meaning)
    signals.add_argument(
        "--gdpr", action=BooleanOptionalAction, default=None, help="whether the GDPR applies; the last counts"
    )
    signals.add_argument(
        "--industry", action="append", choices=_INDUSTRY, default=[], help="industry body with an opt-out; repeatable"
    )
    _add_texts(signals, {
        "--tcf": ("STRING", "TCF v2 string"),
        "--gpp": ("STRING", "GPP string"),
        "--usp": ("STRING", "US Privacy string"),
    })  # fmt: skip
    signals.add_argument(
        "--gpp-sid", action="append", type=_sections, default=[], metavar="N,N", help="GPP sections that apply"
    )


def _add_texts(group: _ActionsContainer, options: dict[str, tuple[str, str]]) -> None:
    for option, (metavar, meaning) in options.items():
        group.add_argument(option, type=text, default="", metavar=metavar, help=meaning)


def _sections(value: str) -> list[int]:
    try:
        sections = [int(part) for part in value.split(",")]
    except ValueError:
        raise ArgumentTypeError("must be numbers separated by commas") from None
    if not all(-1 << _GPP_SECTION_BITS <= section < 1 << _GPP_SECTION_BITS for section in sections):
        raise ArgumentTypeError("must be 32-bit numbers")
    return sections
