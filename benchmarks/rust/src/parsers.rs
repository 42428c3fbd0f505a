//! One function a parser, each written as the parser's own documentation shows.

use std::fs::File;

use crate::job::Job;

pub type Parser<J> = fn(&str, &mut J);

pub fn find<J: Job>(name: &str) -> Parser<J> {
    match name {
        "needletail" => needletail,
        "paraseq" => paraseq,
        "seq_io" => seq_io,
        "helicase" => helicase,
        "helicase-mmap" => helicase_mmap,
        _ => panic!("no parser {name}"),
    }
}

fn needletail<J: Job>(path: &str, job: &mut J) {
    let mut reader = needletail::parse_fastx_file(path).expect("a FASTQ file");
    while let Some(record) = reader.next() {
        let record = record.expect("a record");
        job.record(record.raw_seq(), record.qual().expect("qualities"));
    }
}

fn paraseq<J: Job>(path: &str, job: &mut J) {
    use paraseq::Record;

    let mut reader = paraseq::ReaderBuilder::path(path).build_fastq().expect("a FASTQ file");
    let mut records = reader.new_record_set();
    while records.fill(&mut reader).expect("records") {
        for record in records.iter() {
            let record = record.expect("a record");
            job.record(record.seq_raw(), record.qual().expect("qualities"));
        }
    }
}

fn seq_io<J: Job>(path: &str, job: &mut J) {
    use seq_io::fastq::{Reader, Record};

    let mut reader = Reader::new(File::open(path).expect("a file"));
    while let Some(record) = reader.next() {
        let record = record.expect("a record");
        job.record(record.seq(), record.qual());
    }
}

const HELICASE: helicase::Config = helicase::ParserOptions::default().compute_quality().config();

fn helicase<J: Job>(path: &str, job: &mut J) {
    use helicase::input::FromFile;

    go_through(helicase::FastxParser::<HELICASE>::from_file(path).expect("a FASTQ file"), job);
}

fn helicase_mmap<J: Job>(path: &str, job: &mut J) {
    use helicase::input::FromMmap;

    let parser = helicase::FastxParser::<HELICASE>::from_file_mmap(path);
    go_through(parser.expect("a FASTQ file"), job);
}

fn go_through<J: Job>(mut parser: helicase::FastxParser<'_, HELICASE>, job: &mut J) {
    use helicase::HelicaseParser;

    while let Some(event) = parser.next() {
        event.expect("a record");
        job.record(parser.get_dna_string(), parser.get_quality().expect("qualities"));
    }
}
