//! What is done with each record.

pub trait Job: Default {
    fn restart(&mut self);
    fn record(&mut self, sequence: &[u8], quality: &[u8]);
    /// The totals that run.py compares, as the inside of a JSON object.
    fn totals(&self) -> String;
}

/// Parsing alone: the slices are looked at by their lengths only.
#[derive(Default)]
pub struct Count {
    reads: u64,
    bases: u64,
}

impl Job for Count {
    fn restart(&mut self) {
        *self = Self::default();
    }

    #[inline(always)]
    fn record(&mut self, sequence: &[u8], quality: &[u8]) {
        assert_eq!(sequence.len(), quality.len());
        self.reads += 1;
        self.bases += sequence.len() as u64;
    }

    fn totals(&self) -> String {
        format!(r#""reads": {}, "bases": {}"#, self.reads, self.bases)
    }
}

/// The same job: length, GC and mean quality of every read.
#[derive(Default)]
pub struct Measures {
    length: Vec<u32>,
    gc: Vec<f32>,
    quality: Vec<f32>,
}

impl Job for Measures {
    fn restart(&mut self) {
        self.length.clear();
        self.gc.clear();
        self.quality.clear();
    }

    #[inline(always)]
    fn record(&mut self, sequence: &[u8], quality: &[u8]) {
        let bases = sequence.len() as f32;
        self.length.push(sequence.len() as u32);
        self.gc.push(count_gc(sequence) as f32 / bases);
        self.quality.push(sum(quality) as f32 / bases - 33.0);
    }

    fn totals(&self) -> String {
        let (mut bases, mut gc, mut quality) = (0_u64, 0.0, 0.0);
        for (row, &length) in self.length.iter().enumerate().filter(|(_, &length)| length > 0) {
            bases += u64::from(length);
            gc += f64::from(self.gc[row]) * f64::from(length);
            quality += f64::from(self.quality[row]) * f64::from(length);
        }
        let reads = self.length.len();
        format!(r#""reads": {reads}, "bases": {bases}, "gc": {gc}, "quality": {quality}"#)
    }
}

/// In runs short enough for 8-bit counters, which the compiler turns into vectors.
fn count_gc(sequence: &[u8]) -> usize {
    let count = |run: &[u8]| run.iter().map(|&b| u8::from(b == b'G' || b == b'C')).sum::<u8>();
    sequence.chunks(255).map(|run| usize::from(count(run))).sum()
}

fn sum(quality: &[u8]) -> u64 {
    let sum = |run: &[u8]| run.iter().map(|&q| u32::from(q)).sum::<u32>();
    quality.chunks(1 << 16).map(|run| u64::from(sum(run))).sum()
}
