//! `rust-parsers PARSER parse|measure`: goes through the FASTQ files named on standard input, one
//! a line, with one of the Rust parsers, and answers each with a line of JSON. The protocol is that
//! of benchmarks/server.py.
//!
//! `measure` is the same job as in the other contenders: length, GC (over all bases) and mean Phred
//! score of every read, into columns. The columns keep their memory from file to file, as
//! genomevedic's pool does.

mod job;
mod parsers;

use std::io::{stdin, stdout, BufRead, Write};
use std::time::Instant;

use job::{Count, Job, Measures};
use parsers::{find, Parser};

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, parser, job] = arguments.as_slice() else {
        panic!("usage: rust-parsers PARSER parse|measure");
    };
    match job.as_str() {
        "parse" => serve(find::<Count>(parser), Count::default()),
        "measure" => serve(find::<Measures>(parser), Measures::default()),
        _ => panic!("no job {job}"),
    }
}

fn serve<J: Job>(parse: Parser<J>, mut job: J) {
    answer(r#"{"ready": true}"#);
    for path in stdin().lock().lines() {
        let path = path.expect("a line");
        job.restart();
        let started = Instant::now();
        parse(&path, &mut job);
        let seconds = started.elapsed().as_secs_f64();
        answer(&format!(r#"{{"seconds": {seconds:.9}, {}}}"#, job.totals()));
    }
}

fn answer(line: &str) {
    println!("{line}");
    stdout().flush().expect("standard output");
}
