//! The stored form of a piece: its text under zstd, or under zlib if an older version stored it.
//!
//! zstd packs what records say three times as fast as zlib, to the same size, and opens it three times as
//! fast. Owns: both directions, and what a thread keeps for the next piece. Does not own: what the text says.

use std::cell::RefCell;
use std::io;

use flate2::{Decompress, FlushDecompress, Status};
use zstd::bulk::{Compressor, Decompressor};
use zstd::zstd_safe::{CParameter, get_frame_content_size};

/// Of 20,000 records -1 packs a sixth worse and a quarter faster, 3 no better and a tenth slower.
const LEVEL: i32 = 1;
/// How a frame of zstd begins; what zlib writes never does.
const MAGIC: [u8; 4] = 0xfd2f_b528_u32.to_le_bytes();
/// Enough of a text for its language, which may be all that anybody wants to know.
const HEAD: usize = 64;
/// What a thread keeps for the next piece.
const KEPT: usize = 1 << 20;
const FIRST_ROOM: usize = KEPT / 16;

/// What opens pieces, and the text of the last one.
struct Opener {
    zstd: Option<Decompressor<'static>>,
    zlib: Option<Decompress>,
    text: Vec<u8>,
}

thread_local! {
    /// Its tables take longer to make than a small piece takes to pack.
    static PACKER: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
    static OPENER: RefCell<Opener> =
        const { RefCell::new(Opener { zstd: None, zlib: None, text: Vec::new() }) };
}

/// Give back what this thread keeps.
pub fn rest() {
    PACKER.with_borrow_mut(|kept| *kept = None);
    OPENER.with_borrow_mut(|kept| *kept = Opener { zstd: None, zlib: None, text: Vec::new() });
}

/// The stored form of a text.
///
/// # Errors
/// None in practice: it writes to memory.
pub fn pack(text: &[u8]) -> io::Result<Vec<u8>> {
    PACKER.with_borrow_mut(|kept| {
        let packer = match kept {
            Some(packer) => packer,
            None => {
                let mut packer = Compressor::new(LEVEL)?;
                // Without it a damaged page could be opened to another text.
                packer.set_parameter(CParameter::ChecksumFlag(true))?;
                kept.insert(packer)
            }
        };
        packer.compress(text)
    })
}

/// Open a stored form and have `look` look at its text; `None`, without a look, when `stop` said so of the
/// beginning.
///
/// # Errors
/// The stored form is damaged.
pub fn open<T>(
    stored: &[u8],
    stop: impl Fn(&[u8]) -> bool,
    look: impl FnOnce(&[u8]) -> T,
) -> io::Result<Option<T>> {
    OPENER.with_borrow_mut(|opener| {
        let length = if stored.starts_with(&MAGIC) {
            let length = opener.expand(stored)?;
            let head = &opener.text[..length.min(HEAD)];
            if stop(head) { None } else { Some(length) }
        } else {
            opener.inflate(stored, stop)?
        };
        let seen = length.map(|length| look(&opener.text[..length]));
        if opener.text.len() > KEPT {
            opener.text = Vec::new();
        }
        Ok(seen)
    })
}

fn damaged(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

impl Opener {
    /// Make room for a text of so many bytes.
    fn make_room(&mut self, room: usize) -> io::Result<()> {
        if let Some(more) = room.checked_sub(self.text.len()) {
            // What a damaged frame says of its length may be anything.
            self.text.try_reserve(more).map_err(|_| damaged("it is too large to be opened"))?;
            self.text.resize(room, 0);
        }
        Ok(())
    }

    /// Open a frame of zstd; the length of the text.
    fn expand(&mut self, stored: &[u8]) -> io::Result<usize> {
        let said = get_frame_content_size(stored)
            .ok()
            .flatten()
            .and_then(|said| usize::try_from(said).ok());
        let length = said.ok_or_else(|| damaged("it does not say its length"))?;
        // No block of zstd's is larger than 128 KiB or shorter than four bytes: more cannot be in there, and
        // memory is not taken for what cannot be.
        if length / (128 << 10) > stored.len() / 4 {
            return Err(damaged("it is shorter than it says"));
        }
        self.make_room(length.max(FIRST_ROOM))?;
        let zstd = match &mut self.zstd {
            Some(zstd) => zstd,
            none => none.insert(Decompressor::new()?),
        };
        let written = zstd.decompress_to_buffer(stored, &mut self.text[..length])?;
        if written == length { Ok(length) } else { Err(damaged("it is shorter than it says")) }
    }

    /// Open what zlib wrote; the length of the text, `None` when its beginning made `stop` say so.
    fn inflate(
        &mut self,
        stored: &[u8],
        stop: impl Fn(&[u8]) -> bool,
    ) -> io::Result<Option<usize>> {
        self.make_room(FIRST_ROOM)?;
        let engine = self.zlib.get_or_insert_with(|| Decompress::new(true));
        engine.reset(true);
        let (mut read, mut written, mut room) = (0, 0, HEAD);
        loop {
            let status = engine.decompress(
                &stored[read..],
                &mut self.text[written..room],
                FlushDecompress::None,
            )?;
            read = usize::try_from(engine.total_in()).unwrap_or(stored.len()).min(stored.len());
            written = usize::try_from(engine.total_out()).unwrap_or(room).min(room);
            let all = status == Status::StreamEnd;
            if (all || written == HEAD) && room == HEAD && stop(&self.text[..written]) {
                return Ok(None);
            }
            if all {
                return Ok(Some(written));
            }
            if written < room {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it ends too early"));
            }
            if room == self.text.len() {
                self.text.resize(room * 2, 0);
            }
            room = self.text.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use proptest::prelude::*;

    use super::{open, pack, rest};

    type Failure = Box<dyn std::error::Error>;

    fn by_zlib(text: &[u8]) -> std::io::Result<Vec<u8>> {
        let mut out = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::new(3));
        out.write_all(text)?;
        out.finish()
    }

    fn opened(stored: &[u8]) -> std::io::Result<Vec<u8>> {
        open(stored, |_| false, <[u8]>::to_vec).map(Option::unwrap_or_default)
    }

    proptest! {
        #[test]
        fn a_text_comes_back(text in prop::collection::vec(any::<u8>(), 0..5_000), often in 1..200_usize) {
            let text = text.repeat(often);
            prop_assert_eq!(&opened(&pack(&text)?)?, &text);
            prop_assert_eq!(&opened(&by_zlib(&text)?)?, &text);
        }

        #[test]
        fn damage_is_seen_and_the_next_piece_is_opened(
            text in "[a-z ]{1,400}", at in any::<prop::sample::Index>(), change in 1..=255_u8,
        ) {
            let whole = pack(text.as_bytes())?;
            let mut other = whole.clone();
            other[at.index(whole.len())] ^= change;
            // Some bits of a frame say nothing, so the text may still be right; another it never is.
            prop_assert!(opened(&other).is_ok_and(|found| found == text.as_bytes()) || opened(&other).is_err());
            prop_assert!(opened(&whole[..at.index(whole.len())]).is_err());
            prop_assert_eq!(opened(&whole)?, text.as_bytes());
        }
    }

    #[test]
    fn a_length_that_cannot_be_takes_no_memory() {
        // A frame that says it holds 2^60 bytes.
        let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0b1110_0000];
        frame.extend((1_u64 << 60).to_le_bytes());
        frame.extend([1, 0, 0]);
        assert!(opened(&frame).is_err());
        assert!(opened(b"").is_err());
        assert!(opened(b"nothing like it").is_err());
    }

    #[test]
    fn the_beginning_is_enough_to_stop() -> Result<(), Failure> {
        let text = b"0123456789".repeat(100);
        for stored in [pack(&text)?, by_zlib(&text)?] {
            let stopped =
                open(&stored, |head| head.starts_with(b"0123") && head.len() == 64, |_| ());
            assert_eq!(stopped?, None);
            rest();
            assert_eq!(opened(&stored)?, text);
        }
        Ok(())
    }
}
