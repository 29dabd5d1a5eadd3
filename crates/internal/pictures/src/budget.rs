//! A plot of the load that retries put on a server in an outage, with and without a budget.

use std::cell::RefCell;
use std::io;
use std::time::Duration;

use anyhow::Result;
use futures_util::stream::{FuturesUnordered, StreamExt};
use redress::driver::Timer;
use redress::testing::VirtualClock;
use redress::{AsyncPolicy, Budget, Retry, decorrelated_jitter};

use crate::picture::{Picture, in_each_theme};
use crate::plot::{Area, Axis, Frame, Head, Mark, draw_box, draw_line, figure, panel, whole};
use crate::theme::Theme;

/// Seconds.
const SPAN: u32 = 60;
const OUTAGE: (u32, u32) = (15, 40);

const CALLS_PER_SECOND: u32 = 100;
const ATTEMPTS: u32 = 4;
const SEED: u64 = 1;
const HEIGHT: u32 = 400;

pub(crate) fn pictures() -> Result<Vec<Picture>> {
    let bounded = requests(Retry::builder().budget(Budget::new(100, Duration::from_secs(10))?))?;
    let unbounded = requests(Retry::builder())?;
    in_each_theme("budget", |theme| {
        let head = Head {
            title: "What a server receives in an outage of 25 seconds",
            legend: &[
                (Mark::Line(theme.red), "4 attempts, no budget"),
                (Mark::Line(theme.blue), "with a budget of 100 retries in 10 s"),
                (Mark::Line(theme.grey), "first attempts"),
                (Mark::Area(theme.shade, 1.0), "the server is down"),
            ],
        };
        figure(theme, HEIGHT, &head, |area| draw(area, theme, &unbounded, &bounded))
    })
}

/// Makes the calls of a minute, each in its own time. Returns the requests in each second.
fn requests(retry: redress::policy::RetryBuilder) -> Result<Vec<u32>> {
    let clock = VirtualClock::new();
    let strategy = decorrelated_jitter().max(Duration::from_secs(5)).seed(SEED);
    let timer = clock.timer();
    let policy =
        AsyncPolicy::builder().retry(retry.max_attempts(ATTEMPTS).strategy(strategy)).timer(timer.clone()).build()?;
    let counts = RefCell::new(vec![0; SPAN as usize]);
    let request = async || {
        // Retries after the last call may be outside the plot.
        let second = clock.elapsed().as_secs() as usize;
        counts.borrow_mut().get_mut(second).into_iter().for_each(|count| *count += 1);
        let is_down = (OUTAGE.0 as usize..OUTAGE.1 as usize).contains(&second);
        if is_down { Err(io::Error::from(io::ErrorKind::ConnectionReset)) } else { Ok(()) }
    };
    let calls: FuturesUnordered<_> = (0..SPAN * CALLS_PER_SECOND)
        .map(|number| {
            let (policy, request) = (&policy, &request);
            let start = timer.sleep(Duration::from_secs(1) * number / CALLS_PER_SECOND);
            async move {
                start.await;
                policy.call(request).await.is_ok()
            }
        })
        .collect();
    clock.block_on(calls.count());
    Ok(counts.into_inner())
}

fn draw(area: &Area<'_>, theme: &Theme, unbounded: &[u32], bounded: &[u32]) -> Result<()> {
    let frame = Frame {
        title: "",
        x: Axis { name: "seconds", from: 0.0, to: f64::from(SPAN), labels: 13, text: &whole },
        y: Axis { name: "requests per second", from: 0.0, to: 450.0, labels: 10, text: &whole },
    };
    let mut chart = panel(area, theme, &frame)?;
    draw_box(&mut chart, (OUTAGE.0.into(), 0.0), (OUTAGE.1.into(), frame.y.to), theme.shade)?;
    draw_line(&mut chart, steps(unbounded), theme.red)?;
    draw_line(&mut chart, steps(bounded), theme.blue)?;
    let first = f64::from(CALLS_PER_SECOND);
    draw_line(&mut chart, vec![(0.0, first), (f64::from(SPAN), first)], theme.grey)
}

/// A line that is level within each second.
fn steps(counts: &[u32]) -> Vec<(f64, f64)> {
    let ends = |(second, count): (u32, &u32)| [second, second + 1].map(|end| (f64::from(end), f64::from(*count)));
    (0..).zip(counts).flat_map(ends).collect()
}
