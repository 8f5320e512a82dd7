//! Compression of event bodies. Stripe's events resemble each other, so each is compressed against a sample
//! of typical events that ships with the program (`body.dict`, plain text): a body of 3 KB takes a few
//! hundred bytes. The first byte of a blob names the sample. A released sample is never changed or removed.
//! This one contains one event of each frequent type, the most frequent last, because zstd encodes references
//! to the end in fewer bytes.

use std::cell::RefCell;
use std::sync::LazyLock;

use zstd::bulk::{Compressor, Decompressor};
use zstd::dict::{DecoderDictionary, EncoderDictionary};

use crate::error::StoreError;

/// The maximum size of a body, in bytes: 1 MiB, which is the limit of the webhook endpoint.
pub const MAX_BODY_BYTES: usize = 1 << 20;

const PLAIN: u8 = 0;
const SAMPLE_1: u8 = 1;
const LEVEL: i32 = 1;

static SAMPLE: &[u8] = include_bytes!("body.dict");
static ENCODER: LazyLock<EncoderDictionary<'static>> =
    LazyLock::new(|| EncoderDictionary::copy(SAMPLE, LEVEL));
static DECODER: LazyLock<DecoderDictionary<'static>> = LazyLock::new(|| DecoderDictionary::copy(SAMPLE));

thread_local! {
    // Creating a context costs more than using it.
    static COMPRESSOR: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
    static DECOMPRESSOR: RefCell<Option<Decompressor<'static>>> = const { RefCell::new(None) };
}

/// Compresses a body. A body that does not become smaller is stored as it is.
pub fn pack(body: &[u8]) -> Vec<u8> {
    let compressed = COMPRESSOR.with_borrow_mut(|slot| {
        if slot.is_none() {
            *slot = compressor().ok();
        }
        slot.as_mut().and_then(|compressor| compressor.compress(body).ok())
    });
    let (mark, content) = match &compressed {
        Some(small) if small.len() < body.len() => (SAMPLE_1, small.as_slice()),
        _ => (PLAIN, body),
    };
    let mut packed = Vec::with_capacity(content.len() + 1);
    packed.push(mark);
    packed.extend_from_slice(content);
    packed
}

/// The checksum takes four bytes, and a damaged body is never mistaken for another one.
fn compressor() -> std::io::Result<Compressor<'static>> {
    let mut compressor = Compressor::with_prepared_dictionary(&ENCODER)?;
    compressor.include_checksum(true)?;
    Ok(compressor)
}

/// Restores a body.
///
/// # Errors
/// [`StoreError::Corrupt`] if the blob was not made by [`pack`].
pub fn unpack(packed: &[u8]) -> Result<Vec<u8>, StoreError> {
    let corrupt = |what: &str| StoreError::Corrupt(format!("an event body: {what}"));
    match packed.split_first() {
        Some((&PLAIN, body)) => Ok(body.to_vec()),
        Some((&SAMPLE_1, small)) => DECOMPRESSOR.with_borrow_mut(|slot| {
            if slot.is_none() {
                *slot = Decompressor::with_prepared_dictionary(&DECODER).ok();
            }
            let decompressor = slot.as_mut().ok_or_else(|| corrupt("no memory to decompress it"))?;
            decompressor.decompress(small, MAX_BODY_BYTES).map_err(|error| corrupt(&error.to_string()))
        }),
        _ => Err(corrupt("unknown form")),
    }
}
