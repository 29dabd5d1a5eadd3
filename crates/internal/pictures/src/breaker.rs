//! A plot of a breaker in an outage: what became of the calls, and the state of the circuit.

use std::io;
use std::time::Duration;

use anyhow::Result;
use redress::breaker::CircuitState;
use redress::testing::{VirtualClock, no_retries};
use redress::{CircuitBreaker, Policy};

use crate::picture::{Picture, in_each_theme};
use crate::plot::{Area, Axis, Chart, Frame, Head, Mark, draw_box, draw_line, figure, panel, whole};
use crate::theme::Theme;

/// Seconds.
const SPAN: u32 = 90;
const OUTAGE: (u32, u32) = (20, 50);
const RECOVERY: Duration = Duration::from_secs(10);

const CALLS_PER_SECOND: u32 = 10;
const THRESHOLD: u32 = 20;
const WINDOW: Duration = Duration::from_secs(20);
const HEIGHT: u32 = 500;

/// One second of the outage.
#[derive(Clone, Copy, Default)]
struct Second {
    answered: u32,
    failed: u32,
    rejected: u32,
}

#[derive(Default)]
struct Life {
    seconds: Vec<Second>,
    /// The state during and after each call, and its time in seconds.
    states: Vec<(f64, CircuitState)>,
}

pub(crate) fn pictures() -> Result<Vec<Picture>> {
    let life = live()?;
    in_each_theme("breaker", |theme| {
        let head = Head {
            title: "A circuit breaker in an outage of 30 seconds",
            legend: &[
                (Mark::Area(theme.blue, 1.0), "answered"),
                (Mark::Area(theme.red, 1.0), "failed at the server"),
                (Mark::Area(theme.grey, 1.0), "rejected by the breaker"),
                (Mark::Area(theme.shade, 1.0), "the server is down"),
            ],
        };
        figure(theme, HEIGHT, &head, |area| {
            let (calls, states) = area.split_vertically(270);
            draw_calls(&calls, theme, &life.seconds)?;
            draw_states(&states, theme, &life.states)
        })
    })
}

/// Makes a call every tenth of a second, on a server that is down for a while.
fn live() -> Result<Life> {
    let clock = VirtualClock::new();
    let breaker = CircuitBreaker::builder().failure_threshold(THRESHOLD).window(WINDOW).recovery_timeout(RECOVERY);
    let breaker = breaker.build()?;
    let policy = Policy::builder()
        .retry(no_retries())
        .circuit_breaker(&breaker)
        .clock(clock.clone())
        .sleep_with(clock.sleeper())
        .build()?;
    let mut life = Life::default();
    for second in 0..SPAN {
        let is_down = (OUTAGE.0..OUTAGE.1).contains(&second);
        let mut counted = Second::default();
        for _ in 0..CALLS_PER_SECOND {
            let now = clock.elapsed().as_secs_f64();
            let outcome = policy.execute(|| {
                life.states.push((now, breaker.state()));
                if is_down { Err(io::Error::from(io::ErrorKind::TimedOut)) } else { Ok(()) }
            });
            life.states.push((now, breaker.state()));
            match (outcome.is_ok(), outcome.rejection()) {
                (true, _) => counted.answered += 1,
                (false, Some(_)) => counted.rejected += 1,
                (false, None) => counted.failed += 1,
            }
            clock.advance(Duration::from_secs(1) / CALLS_PER_SECOND);
        }
        life.seconds.push(counted);
    }
    Ok(life)
}

fn draw_calls(area: &Area<'_>, theme: &Theme, seconds: &[Second]) -> Result<()> {
    let frame = Frame {
        title: "",
        x: Axis { name: "", from: 0.0, to: f64::from(SPAN), labels: 10, text: &whole },
        y: Axis { name: "calls per second", from: 0.0, to: 12.0, labels: 6, text: &whole },
    };
    let mut chart = panel(area, theme, &frame)?;
    shade_outage(&mut chart, theme, frame.y.to)?;
    for (second, counted) in (0_u32..).zip(seconds) {
        let (left, right) = (f64::from(second), f64::from(second + 1));
        let mut bottom = 0.0;
        let parts = [(counted.answered, theme.blue), (counted.failed, theme.red), (counted.rejected, theme.grey)];
        for (calls, colour) in parts.into_iter().filter(|(calls, _)| *calls > 0) {
            let top = bottom + f64::from(calls);
            draw_box(&mut chart, (left, bottom), (right, top), colour)?;
            bottom = top;
        }
    }
    Ok(())
}

fn draw_states(area: &Area<'_>, theme: &Theme, states: &[(f64, CircuitState)]) -> Result<()> {
    let frame = Frame {
        title: "",
        x: Axis { name: "seconds", from: 0.0, to: f64::from(SPAN), labels: 10, text: &whole },
        y: Axis { name: "", from: -0.3, to: 2.3, labels: 3, text: &state_name },
    };
    let mut chart = panel(area, theme, &frame)?;
    shade_outage(&mut chart, theme, frame.y.to)?;
    let mut line: Vec<(f64, f64)> = Vec::new();
    for (at, state) in states {
        let level = level(*state);
        if let Some((_, before)) = line.last().copied() {
            line.push((*at, before));
        }
        line.push((*at, level));
    }
    draw_line(&mut chart, line, theme.ink)
}

fn shade_outage(chart: &mut Chart<'_>, theme: &Theme, top: f64) -> Result<()> {
    let bottom = chart.y_range().start;
    draw_box(chart, (f64::from(OUTAGE.0), bottom), (f64::from(OUTAGE.1), top), theme.shade)
}

fn level(state: CircuitState) -> f64 {
    match state {
        CircuitState::Closed => 0.0,
        CircuitState::HalfOpen => 1.0,
        _ => 2.0,
    }
}

fn state_name(level: &f64) -> String {
    ["closed", "half open", "open"].get(level.round() as usize).map(ToString::to_string).unwrap_or_default()
}
