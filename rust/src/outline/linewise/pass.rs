//! The place in a source, and what is open there: what the scanners of Kotlin and Swift share.

use crate::outline::brackets::{DEPTH_LIMIT, closing};
use crate::outline::collect::{Collector, Open};
use crate::outline::scanner::Unsure;

/// Deepest nesting of values that hold definitions that have values.
const VALUES_LIMIT: usize = 16;

/// What stands in a bracket.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Body {
    /// Statements or expressions.
    Code,
    /// The members of a type.
    Members,
    /// The members of a protocol.
    Requirements,
}

/// What is open.
pub(super) enum Frame {
    /// A bracket, by what closes it.
    Bracket {
        close: u8,
        body: Body,
        /// What ends with it.
        definition: Option<Open>,
        /// A scope ends with it.
        scope: bool,
        /// What `if`, `for` and the like stand before.
        control: bool,
    },
    /// A value, up to this byte, and what ends with it.
    Value { end: usize, definition: Option<Open>, scope: bool },
}

/// One pass over one source.
pub(super) struct Pass<'s> {
    pub source: &'s [u8],
    /// Where the scanner is.
    pub at: usize,
    pub collector: Collector<'s>,
    open: Vec<Frame>,
    /// How many of those are values.
    values: usize,
}

impl<'s> Pass<'s> {
    pub fn new(source: &'s [u8], collector: Collector<'s>) -> Self {
        Self { source, at: 0, collector, open: Vec::new(), values: 0 }
    }

    pub fn peek(&self) -> Option<u8> {
        self.source.get(self.at).copied()
    }

    /// Whether the members of a type come here.
    pub fn in_members(&self) -> bool {
        matches!(self.body(), Some(Body::Members | Body::Requirements))
    }

    /// Whether the members of a protocol come here.
    pub fn in_requirements(&self) -> bool {
        self.body() == Some(Body::Requirements)
    }

    fn body(&self) -> Option<Body> {
        match self.open.last() {
            Some(Frame::Bracket { body, .. }) => Some(*body),
            _ => None,
        }
    }

    /// How much is open.
    pub fn depth(&self) -> usize {
        self.open.len()
    }

    /// Whether statements come here.
    pub fn in_block(&self) -> bool {
        match self.open.last() {
            Some(Frame::Bracket { close, .. }) => *close == b'}',
            Some(Frame::Value { .. }) => false,
            None => true,
        }
    }

    pub fn is_done(&self) -> bool {
        self.open.is_empty()
    }

    /// Pass the bracket here, which is what.
    pub fn open(&mut self, frame: Frame) -> Result<(), Unsure> {
        if self.open.len() >= DEPTH_LIMIT {
            return Err(Unsure("brackets nested too deep"));
        }
        self.open.push(frame);
        self.at += 1;
        Ok(())
    }

    /// Pass a bracket of no definition.
    pub fn bracket(&mut self, byte: u8, scope: bool, control: bool) -> Result<(), Unsure> {
        let (close, definition) = (closing(byte), None);
        self.open(Frame::Bracket { close, body: Body::Code, definition, scope, control })
    }

    /// Go into what ends at this byte.
    pub fn value(
        &mut self,
        end: usize,
        definition: Option<Open>,
        scope: bool,
    ) -> Result<(), Unsure> {
        if self.values >= VALUES_LIMIT {
            return Err(Unsure("values nested too deep"));
        }
        self.values += 1;
        self.open.push(Frame::Value { end, definition, scope });
        Ok(())
    }

    /// Leave the values that end here.
    pub fn settle(&mut self) {
        while let Some(&Frame::Value { end, definition, scope }) = self.open.last() {
            if self.at < end {
                return;
            }
            self.open.pop();
            self.values -= 1;
            self.ended(definition, scope, end);
        }
    }

    /// Pass a closing bracket; true if what it closes was the condition of a statement.
    pub fn close(&mut self, byte: u8) -> Result<bool, Unsure> {
        let Some(Frame::Bracket { close, definition, scope, control, .. }) = self.open.pop() else {
            return Err(Unsure("a bracket that was not opened"));
        };
        if close != byte {
            return Err(Unsure("a bracket that closes another one"));
        }
        self.at += 1;
        self.ended(definition, scope, self.at);
        Ok(control)
    }

    fn ended(&mut self, definition: Option<Open>, scope: bool, end: usize) {
        if scope {
            self.collector.leave();
        }
        if let Some(definition) = definition {
            self.collector.end(definition, end);
        }
    }
}
