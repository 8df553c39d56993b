//! Outlines C and C++ files: `cfamily [--tags] PATH…`, directories are walked.
//!
//! Without `--tags`: totals and speed on one thread. With it: one line per definition,
//! `path <TAB> line <TAB> end <TAB> kind <TAB> parent <TAB> name <TAB> signature`.

use currant::clock::Clock;
use currant::outline::cfamily::{Dialect, outline};
use std::io::{self, BufWriter, Write};
use std::path::Path;

fn dialect(path: &Path) -> Option<Dialect> {
    match path.extension()?.to_str()? {
        "c" | "h" => Some(Dialect::C),
        "cc" | "cpp" | "cxx" | "hpp" | "hh" | "hxx" | "C" | "tcc" | "ipp" => Some(Dialect::Cpp),
        _ => None,
    }
}

fn main() -> io::Result<()> {
    let mut tags = false;
    let mut forced = None;
    let (mut files, mut bytes, mut symbols) = (0u64, 0u64, 0u64);
    let mut spent = std::time::Duration::ZERO;
    let mut out = BufWriter::new(io::stdout().lock());
    let mut found = Vec::new();
    for argument in std::env::args().skip(1) {
        match argument.as_str() {
            "--tags" => tags = true,
            "--cpp" => forced = Some(Dialect::Cpp),
            "--c" => forced = Some(Dialect::C),
            root => {
                for entry in ignore::WalkBuilder::new(root).standard_filters(false).build() {
                    let Ok(entry) = entry else { continue };
                    let path = entry.path();
                    let is_file = entry.file_type().is_some_and(|kind| kind.is_file());
                    let Some(dialect) =
                        dialect(path).filter(|_| is_file).or(forced.filter(|_| is_file))
                    else {
                        continue;
                    };
                    let source = std::fs::read(path)?;
                    found.clear();
                    let clock = Clock::start();
                    outline(forced.unwrap_or(dialect), &source, &mut found);
                    spent += clock.now();
                    files += 1;
                    bytes += source.len() as u64;
                    symbols += found.len() as u64;
                    if tags {
                        for s in &found {
                            let (path, kind) = (path.display(), s.kind.as_str());
                            let parent = s.parent.as_deref().unwrap_or("");
                            let (start, end, name) = (s.start, s.end, &s.name);
                            let signature = &s.signature;
                            writeln!(
                                out,
                                "{path}\t{start}\t{end}\t{kind}\t{parent}\t{name}\t{signature}"
                            )?;
                        }
                    }
                }
            }
        }
    }
    if !tags {
        let seconds = spent.as_secs_f64().max(1e-9);
        let speed = bytes as f64 / 1e6 / seconds;
        writeln!(
            out,
            "{files} files, {bytes} bytes, {symbols} definitions, {seconds:.2} s, {speed:.0} MB/s"
        )?;
    }
    out.flush()
}
