//! A service whose every text tries to be more than text.

use health_axum::{Check, CheckResult, HealthBuilder, HealthCheckEvent, Unit};
use health_conformance::testee::VirtualTime;

use crate::service::{PERIOD, scripted, shop};

/// `page` looks for each of these on the page, as text.
const ATTACKS: [&str; 9] = [
    "<script>window.hacked=1</script>",
    "<img src=x onerror=window.hacked=1>",
    "<svg onload=window.hacked=1><path d=M0></svg>",
    "</style><style>body{display:none}</style>",
    "</title></bdi></main><h1>OK</h1>",
    "<a href=javascript:window.hacked=1>click</a>",
    "<meta http-equiv=refresh content=0;url=/toggle>",
    "\" onmouseover=\"window.hacked=1\" x=\"",
    "&lt;b&gt;&amp;&#x3c;script&#x3e;",
];

pub(crate) fn service(time: &VirtualTime) -> HealthBuilder {
    let mut builder = shop(time).service(ATTACKS[0], "\u{202e}<b>2.4.1</b>\0");
    for attack in ATTACKS {
        let check = scripted(time, attack, |run| {
            let message = ATTACKS[run as usize % ATTACKS.len()];
            (
                1,
                CheckResult::error(message).reason("<b>reason</b>").value(
                    "<i>name</i>",
                    1.0,
                    Unit::Count,
                ),
            )
        });
        let link = "https://example.com/?q=%3Cscript%3E&x=javascript:window.hacked=1";
        builder = builder.register(check.description(attack).owner(attack).runbook(link));
    }
    let attacks = |event: &mut HealthCheckEvent| {
        for attack in ATTACKS {
            event.error(attack, attack);
        }
        let long = "x".repeat(10_000);
        event.error(&long, long.as_str());
        let wide = "\u{5e45}".repeat(10_000);
        event.error(&wide, wide.as_str());
        let marks = "\u{202e}".repeat(10_000);
        event.error(&marks, marks.as_str());
        event.error("gnp.\u{202e}exe.kcehc", "a\u{0}b\u{1b}[31mc\u{2066}d\u{85}e");
        event
            .degraded("\u{5e9}\u{5dc}\u{5d5}\u{5dd}", "\u{645}\u{631}\u{62d}\u{628}\u{627} 12 (3)");
        event.degraded("stacked", format!("z{}", "\u{301}\u{302}\u{303}".repeat(200)));
        event.result(
            "huge",
            CheckResult::ok().value("huge", 1e308, Unit::Bytes).value(
                "tiny",
                1e-308,
                Unit::Seconds,
            ),
        );
    };
    let name = "n".repeat(128);
    builder
        .register(Check::event("many", attacks).every(PERIOD))
        .register(scripted(time, &name, |_| (1, CheckResult::error("m".repeat(10_000)))))
        .register(scripted(time, "\u{202e}kcehc", |_| (1, CheckResult::ok())))
}
