//! Buckets: how much can be taken in which time, and how many are remembered.

use std::{num::NonZeroU32, time::Duration};

use proptest::prelude::*;
use rollcall::domain::rate::{Bucket, Buckets, Rate};

fn rate(count: u32, seconds: u64, burst: u32) -> Rate {
    Rate::new(NonZeroU32::new(count).unwrap(), Duration::from_secs(seconds), burst)
}

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Takes one if it is there.
fn try_take(bucket: &mut Bucket, rate: Rate, now: Duration) -> Result<(), Duration> {
    match bucket.find_wait(rate, now) {
        Duration::ZERO => {
            bucket.take(rate, now);
            Ok(())
        }
        wait => Err(wait),
    }
}

#[test]
fn a_burst_is_taken_at_once_and_comes_in_again_one_by_one() {
    let rate = rate(10, 1, 25);
    let mut bucket = Bucket::default();
    let start = ms(1_000_000);
    for _ in 0..25 {
        assert_eq!(try_take(&mut bucket, rate, start), Ok(()));
    }
    assert_eq!(try_take(&mut bucket, rate, start), Err(ms(100)));
    assert_eq!(try_take(&mut bucket, rate, start + ms(40)), Err(ms(60)), "asking does not make the wait longer");
    assert_eq!(try_take(&mut bucket, rate, start + ms(100)), Ok(()));
    assert_eq!(try_take(&mut bucket, rate, start + ms(100)), Err(ms(100)));
    let later = start + Duration::from_secs(3600);
    for _ in 0..25 {
        assert_eq!(try_take(&mut bucket, rate, later), Ok(()), "and no more than the burst comes in");
    }
    assert_eq!(try_take(&mut bucket, rate, later), Err(ms(100)));
}

#[test]
fn the_first_moments_of_a_clock_are_like_all_others() {
    let rate = rate(1, 60, 3);
    let mut bucket = Bucket::default();
    for _ in 0..3 {
        assert_eq!(try_take(&mut bucket, rate, Duration::ZERO), Ok(()));
    }
    assert_eq!(try_take(&mut bucket, rate, Duration::ZERO), Err(Duration::from_secs(60)));
}

#[test]
fn a_burst_is_never_less_than_what_comes_in_in_one_period() {
    assert_eq!(rate(50, 1, 0), rate(50, 1, 50));
}

proptest! {
    #[test]
    fn in_any_time_no_more_is_taken_than_the_burst_and_what_came_in(
        count in 1_u32..50, burst in 0_u32..100, steps in prop::collection::vec(0_u64..400, 1..300),
    ) {
        let rate = rate(count, 1, burst);
        let burst = burst.max(count);
        let (mut bucket, mut now, mut taken) = (Bucket::default(), Duration::ZERO, Vec::new());
        for step in steps {
            now += ms(step);
            let wait = bucket.find_wait(rate, now);
            if wait.is_zero() {
                bucket.take(rate, now);
                taken.push(now);
            } else {
                // Told truly: then it is there, and a moment before it is not.
                prop_assert!(bucket.find_wait(rate, now + wait).is_zero());
                let just_before = now + wait.saturating_sub(Duration::from_nanos(1));
                prop_assert!(!bucket.find_wait(rate, just_before).is_zero());
            }
        }
        for (index, from) in taken.iter().enumerate() {
            for (number, to) in taken.iter().enumerate().skip(index) {
                let came_in = to.saturating_sub(*from).as_secs_f64() * f64::from(count);
                prop_assert!((number - index + 1) as f64 <= f64::from(burst) + came_in + 1e-6);
            }
        }
    }
}

#[test]
fn each_key_has_a_bucket_of_its_own() {
    let mut buckets = Buckets::new(rate(1, 1, 2), 100);
    for _ in 0..2 {
        assert!(buckets.find_wait(1, ms(0)).is_zero());
        buckets.take(1, ms(0));
    }
    assert_eq!(buckets.find_wait(1, ms(0)), ms(1000));
    assert!(buckets.find_wait(2, ms(0)).is_zero());
}

/// How many can be taken now.
fn count_left(buckets: &mut Buckets, key: u64, now: Duration) -> u64 {
    let mut left = 0;
    while buckets.find_wait(key, now).is_zero() {
        buckets.take(key, now);
        left += 1;
    }
    left
}

#[test]
fn nobody_is_forgotten_before_their_bucket_is_full() {
    for seconds in [1, 5, 9, 10, 11, 19, 20, 35] {
        let mut buckets = Buckets::new(rate(1, 1, 10), 1_000_000);
        assert_eq!(count_left(&mut buckets, 3, ms(0)), 10);
        for second in 1..=seconds {
            buckets.take(77, Duration::from_secs(second));
        }
        assert_eq!(count_left(&mut buckets, 3, Duration::from_secs(seconds)), seconds.min(10), "after {seconds} s");
    }
}

#[test]
fn who_is_quiet_is_forgotten_once_their_bucket_is_full() {
    let mut buckets = Buckets::new(rate(1, 1, 10), 1_000_000);
    for key in 0..10_000 {
        buckets.take(key, ms(0));
    }
    for second in [10, 20] {
        buckets.take(77, Duration::from_secs(second));
    }
    assert_eq!(buckets.remembered(), 1);
}

#[test]
fn no_more_are_remembered_than_allowed_and_those_who_ask_on_are_not_forgotten() {
    let mut buckets = Buckets::new(rate(1, 3600, 3), 1_000);
    assert_eq!(count_left(&mut buckets, 7, ms(0)), 3);
    for stranger in 0..100_000_u64 {
        buckets.take(1_000_000 + stranger, ms(0));
        if stranger % 400 == 0 {
            assert!(!buckets.find_wait(7, ms(0)).is_zero(), "forgotten after {stranger} strangers");
        }
        assert!(buckets.remembered() <= 1_001, "{}", buckets.remembered());
    }
    assert!(buckets.find_wait(1_000_000, ms(0)).is_zero());
}
