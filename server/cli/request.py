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
    """Add everything that an ad request may hold."""
    _add_person(parser)
    _add_browser(parser)
    _add_signals(parser)
    parser.add_argument(
        "--network", action="append", type=text, default=[], metavar="ID", help="a third-party network; repeatable"
    )
    parser.add_argument("--request-id", type=text, default="", metavar="ID", help="echoed in the answer")
    parser.add_argument("--json", action="store_true", help="print the whole answer as JSON")


def request_from(arguments: Namespace) -> pb.DecideRequest:
    """Build the request that the arguments describe."""
    return pb.DecideRequest(
        request_id=arguments.request_id,
        account_id=arguments.account,
        linked_account_ids=arguments.linked,
        device_id=arguments.device,
        ip=arguments.ip,
        accept_language=arguments.accept_language,
        cookie_header=arguments.cookie,
        client=pb.ClientSettings(
            app=arguments.app,
            targeted_ads_off=arguments.targeted_ads_off,
            country=arguments.country,
            language=arguments.language,
        ),
        signals=_signals(arguments),
        third_party_networks=arguments.network,
    )


def _signals(arguments: Namespace) -> pb.PrivacySignals:
    return pb.PrivacySignals(
        child_directed=arguments.child,
        global_privacy_control=arguments.gpc,
        do_not_track=arguments.dnt,
        limit_ad_tracking=arguments.lmt,
        gdpr_applies=arguments.gdpr,
        tcf_consent=arguments.tcf,
        gpp=arguments.gpp,
        gpp_section_ids=[section for sections in arguments.gpp_sid for section in sections],
        us_privacy=arguments.usp,
        industry_opt_outs=[_INDUSTRY[body] for body in arguments.industry],
    )


def _add_person(parser: ArgumentParser) -> None:
    person = parser.add_argument_group("who")
    _add_texts(person, {
        "--account": ("ID", "the signed-in account"),
        "--device": ("ID", "the browser or device; else the MUID cookie"),
        "--country": ("CODE", "the country set in the client"),
        "--language": ("TAG", "the language set in the client"),
        "--app": ("ID", "the app's bundle or store id; none on the web"),
    })  # fmt: skip
    person.add_argument(
        "--linked", action="append", type=text, default=[], metavar="ID", help="a linked account; repeatable"
    )


def _add_browser(parser: ArgumentParser) -> None:
    browser = parser.add_argument_group("what the browser or app sent")
    _add_texts(browser, {
        "--ip": ("ADDRESS", "the client's address"),
        "--accept-language": ("HEADER", "the Accept-Language header"),
        "--cookie": ("HEADER", "the Cookie header"),
    })  # fmt: skip


def _add_signals(parser: ArgumentParser) -> None:
    signals = parser.add_argument_group("privacy signals")
    for flag, meaning in {
        "--child": "a child-directed service (COPPA)",
        "--targeted-ads-off": "the client's own switch",
        "--gpc": "Global Privacy Control (Sec-GPC: 1)",
        "--dnt": "Do Not Track (DNT: 1)",
        "--lmt": "Limit Ad Tracking",
    }.items():
        signals.add_argument(flag, action="store_true", help=meaning)
    signals.add_argument(
        "--gdpr", action=BooleanOptionalAction, default=None, help="whether the GDPR applies; the last counts"
    )
    signals.add_argument(
        "--industry", action="append", choices=_INDUSTRY, default=[], help="an industry opt-out; repeatable"
    )
    _add_texts(signals, {
        "--tcf": ("STRING", "a TCF v2 string"),
        "--gpp": ("STRING", "a GPP string"),
        "--usp": ("STRING", "a US Privacy string"),
    })  # fmt: skip
    signals.add_argument(
        "--gpp-sid", action="append", type=_sections, default=[], metavar="N,N", help="the GPP sections that apply"
    )


def _add_texts(group: _ActionsContainer, options: dict[str, tuple[str, str]]) -> None:
    for option, (metavar, meaning) in options.items():
        group.add_argument(option, type=text, default="", metavar=metavar, help=meaning)


def _sections(value: str) -> list[int]:
    try:
        sections = [int(part) for part in value.split(",")]
    except ValueError:
        raise ArgumentTypeError("must be numbers with commas between them") from None
    if not all(-1 << _GPP_SECTION_BITS <= section < 1 << _GPP_SECTION_BITS for section in sections):
        raise ArgumentTypeError("holds a number beyond 32 bits")
    return sections
