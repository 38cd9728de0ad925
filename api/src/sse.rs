//! Server-sent events, read piece by piece.
//!
//! # Source
//!
//! HTML, sections 9.2.5 and 9.2.6: parsing and interpreting an event stream.

/// The most bytes of one block. A post, the longest of our events, takes a few thousand.
const LONGEST: usize = 64 * 1024;

/// What stands between two blank lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Block {
    /// The id that it sets, if it sets one.
    pub id: Option<String>,
    /// The name of the event; empty if it has none.
    pub name: String,
    /// What it says, its lines joined by line feeds; empty for a block that is no event.
    pub data: String,
}

/// Reads a stream of events.
#[derive(Clone, Debug, Default)]
pub struct Reader {
    line: Vec<u8>,
    block: Block,
    /// Bytes of the block so far.
    taken: usize,
    /// The last byte was a carriage return, which a line feed may follow.
    after_return: bool,
    began: bool,
}

/// A block is too long to be one of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong;

impl Reader {
    /// Reads a piece, wherever it was cut. Returns the blocks that end in it; comments alone make
    /// none.
    ///
    /// # Errors
    ///
    /// [`TooLong`] if a block has more than 64 KiB: what follows cannot be read.
    pub fn read(&mut self, piece: &[u8]) -> Result<Vec<Block>, TooLong> {
        let mut blocks = Vec::new();
        for byte in piece {
            let follows = std::mem::take(&mut self.after_return);
            match byte {
                b'\n' if follows => {}
                b'\n' | b'\r' => {
                    self.after_return = *byte == b'\r';
                    blocks.extend(self.end_line());
                }
                byte => {
                    self.line.push(*byte);
                    self.taken += 1;
                    if self.taken > LONGEST {
                        return Err(TooLong);
                    }
                }
            }
        }
        Ok(blocks)
    }

    fn end_line(&mut self) -> Option<Block> {
        let line = std::mem::take(&mut self.line);
        let line = String::from_utf8_lossy(&line);
        let first = !std::mem::replace(&mut self.began, true);
        let line = if first { line.strip_prefix('\u{feff}').unwrap_or(&line) } else { &line };
        if line.is_empty() {
            self.taken = 0;
            let mut block = std::mem::take(&mut self.block);
            block.data.pop();
            return (block != Block::default()).then_some(block);
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.block.name),
            "data" => {
                self.block.data.push_str(value);
                self.block.data.push('\n');
            }
            "id" if !value.contains('\0') => self.block.id = Some(value.to_owned()),
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn block(id: Option<&str>, name: &str, data: &str) -> Block {
        Block { id: id.map(Into::into), name: name.into(), data: data.into() }
    }

    fn read(text: &str) -> Vec<Block> {
        Reader::default().read(text.as_bytes()).unwrap()
    }

    #[test]
    fn blocks_are_read_as_the_standard_has_it() {
        let cases = [
            (
                "an event",
                "id: 7-0\nevent: picture\ndata: {}\n\n",
                block(Some("7-0"), "picture", "{}"),
            ),
            ("an id alone", "id: 7-0\n\n", block(Some("7-0"), "", "")),
            ("lines of data", "data: a\ndata:\ndata: b\n\n", block(None, "", "a\n\nb")),
            ("one space goes", "data:  a\n\n", block(None, "", " a")),
            ("no space", "data:a\n\n", block(None, "", "a")),
            ("a field without a colon", "data\ndata\n\n", block(None, "", "\n")),
            ("carriage returns", "data: a\r\r", block(None, "", "a")),
            ("both", "data: a\r\nid: 1\r\n\r\n", block(Some("1"), "", "a")),
            ("a mark at the beginning", "\u{feff}data: a\n\n", block(None, "", "a")),
            ("what is unknown", "retry: 5\nhue: red\ndata: a\n\n", block(None, "", "a")),
            ("comments", ": hi\ndata: a\n:\n\n", block(None, "", "a")),
            ("an id with a NUL", "id: 1\0\ndata: a\n\n", block(None, "", "a")),
            ("the last of two", "event: a\nevent: b\ndata: c\n\n", block(None, "b", "c")),
        ];
        for (name, text, expected) in cases {
            assert_eq!(read(text), [expected], "{name}");
        }
    }

    #[test]
    fn what_is_not_ended_or_says_nothing_is_no_block() {
        for text in ["", "\n\n", ": hi\n\n", "data: a\n", "data: a", "retry: 5\n\n"] {
            assert_eq!(read(text), [], "{text:?}");
        }
    }

    #[test]
    fn blocks_of_at_most_64_kib_are_read_however_many() {
        let long = format!("data: {}\n\n", "x".repeat(LONGEST - "data: ".len()));
        let mut reader = Reader::default();
        for _ in 0..3 {
            assert_eq!(reader.read(long.as_bytes()).unwrap().len(), 1);
        }
        assert_eq!(reader.read(&[b'x'; LONGEST]), Ok(Vec::new()));
        assert_eq!(reader.read(b"x"), Err(TooLong));
    }

    proptest! {
        #[test]
        fn it_does_not_matter_where_the_stream_is_cut(
            text in "(id: 1|data: ä|event: x|:|\r\n|\r|\n|\n\n){0,30}",
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
        ) {
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(text.len() + 1)).collect();
            cuts.sort_unstable();
            let (mut reader, mut blocks, mut from) = (Reader::default(), Vec::new(), 0);
            for cut in cuts.into_iter().chain([text.len()]) {
                blocks.extend(reader.read(&text.as_bytes()[from..cut]).unwrap());
                from = cut;
            }
            prop_assert_eq!(blocks, read(&text));
        }
    }
}
