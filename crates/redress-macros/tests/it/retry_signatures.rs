//! Methods, generics, lifetimes, patterns, traits.

use std::fmt::Debug;
use std::io;
use std::sync::Arc;

use redress::{CallError, retry};

#[derive(Clone, Debug, Default, PartialEq)]
struct Store {
    rows: Vec<String>,
}

impl Store {
    #[retry]
    fn first(&self) -> Result<&str, CallError<io::Error>> {
        self.rows.first().map(String::as_str).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    #[retry]
    fn add(&mut self, row: &str) -> Result<usize, CallError<io::Error>> {
        self.rows.push(row.into());
        Ok(self.rows.len())
    }

    #[retry]
    fn count(self) -> Result<usize, CallError<io::Error>> {
        Ok(self.rows.len())
    }

    #[retry]
    fn shared(self: &Arc<Self>) -> Result<Arc<Self>, CallError<io::Error>> {
        Ok(Self::clone_of(self))
    }

    #[retry]
    pub(crate) fn create(rows: &[&str]) -> Result<Self, CallError<io::Error>> {
        Ok(Self { rows: rows.iter().map(|row| (*row).into()).collect() })
    }

    fn clone_of(this: &Arc<Self>) -> Arc<Self> {
        Arc::clone(this)
    }
}

#[test]
fn every_kind_of_self_works() {
    let mut store = Store::create(&["ada"]).unwrap();
    assert_eq!(store.first().unwrap(), "ada");
    assert_eq!(store.add("grace").unwrap(), 2);
    assert_eq!(Arc::new(store.clone()).shared().unwrap().rows, store.rows);
    assert_eq!(store.count().unwrap(), 2);
}

trait Named {
    fn name(&self) -> Result<String, CallError<io::Error>>;

    #[retry]
    fn greeting(&self) -> Result<String, CallError<io::Error>>
    where
        Self: Debug,
    {
        let name = std::fs::read_to_string("/no/such/file").unwrap_or_else(|_| "stranger".into());
        Ok(format!("hello, {name}, from {self:?}"))
    }
}

impl Named for Store {
    #[retry(operation = "store_name")]
    fn name(&self) -> Result<String, CallError<io::Error>> {
        Err(io::ErrorKind::NotFound.into())
    }
}

#[test]
fn methods_of_traits_work_in_both_places() {
    assert_eq!(Store::default().name().unwrap_err().operation(), Some("store_name"));
    assert!(Store::default().greeting().unwrap().starts_with("hello, stranger"));
}

#[retry]
fn longest<'a, 'b: 'a, T>(one: &'a [T], other: &'b [T]) -> Result<&'a [T], CallError<io::Error>>
where
    T: PartialEq,
{
    Ok(if one.len() < other.len() { other } else { one })
}

#[retry]
fn pick<const N: usize>((from, to): (usize, usize), all: [u8; N]) -> Result<Vec<u8>, CallError<io::Error>> {
    let part = all.get(from..to).ok_or(io::ErrorKind::InvalidInput)?;
    Ok(part.to_vec())
}

#[retry]
fn each(numbers: &[u8], mut_free: impl Fn(u8) -> u8, visit: &mut impl FnMut(u8)) -> Result<(), CallError<io::Error>> {
    for number in numbers {
        visit(mut_free(*number));
    }
    Ok(())
}

#[retry]
fn opaque(text: &str) -> Result<impl Iterator<Item = char> + '_, CallError<io::Error>> {
    Ok(text.chars().rev())
}

#[retry]
fn coerced(even: bool) -> Result<Box<dyn Debug>, CallError<io::Error>> {
    Ok(if even { Box::new(2) } else { Box::new("odd") })
}

#[test]
fn generics_lifetimes_and_patterns_work() {
    assert_eq!(longest(&[1], &[2, 3]).unwrap(), [2, 3]);
    assert_eq!(pick((1, 3), [1, 2, 3]).unwrap(), [2, 3]);
    let mut seen = Vec::new();
    each(&[1, 2], |number| number * 10, &mut |number| seen.push(number)).unwrap();
    assert_eq!(seen, [10, 20]);
    assert_eq!(opaque("ada").unwrap().collect::<String>(), "ada");
    assert_eq!(format!("{:?}", coerced(false).unwrap()), "\"odd\"");
}
