//! Linear memory that the program can read while the component runs: the engine gets its memories from here.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use wasmtime::{LinearMemory, MemoryCreator, MemoryType};

/// The most bytes that a memory may have. All of them are reserved from the beginning, so that a memory never moves.
pub(crate) const MAX_BYTES: usize = 16 << 20;

/// The unit in which the host grows memory: WebAssembly's page, 64 KiB.
const WASM_PAGE: usize = 64 << 10;

/// The unit in which the operating system backs memory, at the first write.
const SYSTEM_PAGE: usize = 4 << 10;

const WORD: usize = size_of::<AtomicU64>();

/// Makes the memories, and remembers them until they are taken.
#[derive(Default)]
pub(crate) struct Memories(Mutex<Vec<Arc<Memory>>>);

impl Memories {
    /// The memories made since the last time.
    pub fn take(&self) -> Vec<Arc<Memory>> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// One memory.
pub(crate) struct Memory {
    /// Atomic, so that the guest may write to bytes that are only borrowed here.
    words: Box<[AtomicU64]>,
    bytes: AtomicUsize,
}

impl Memory {
    /// Its size in pages of WebAssembly.
    pub fn pages(&self) -> u64 {
        (self.bytes.load(Relaxed) / WASM_PAGE) as u64
    }

    /// How many of its pages of 4 KiB are not all zero.
    pub fn touched(&self) -> u64 {
        let touched = |page: &&[AtomicU64]| page.iter().any(|word| word.load(Relaxed) != 0);
        self.words.chunks(SYSTEM_PAGE / WORD).filter(touched).count() as u64
    }

    /// How far below `top` its lowest byte that is not zero lies, to 8 bytes; 0 when there is none.
    pub fn depth_below(&self, top: u64) -> u64 {
        let lowest = self.words.iter().position(|word| word.load(Relaxed) != 0);
        lowest.map_or(0, |word| top.saturating_sub((word * WORD) as u64))
    }
}

#[allow(unsafe_code, reason = "the trait asks for zeroed memory with nothing promised behind it, which this is")]
unsafe impl MemoryCreator for Memories {
    fn new_memory(
        &self,
        _: MemoryType,
        minimum: usize,
        _: Option<usize>,
        reserved: Option<usize>,
        guard: usize,
    ) -> Result<Box<dyn LinearMemory>, String> {
        if guard != 0 || reserved.is_some_and(|bytes| bytes > MAX_BYTES) || minimum > MAX_BYTES {
            return Err(format!("memories have at most {MAX_BYTES} bytes and no guard"));
        }
        let memory = Arc::new(Memory {
            words: (0..MAX_BYTES / WORD).map(|_| AtomicU64::new(0)).collect(),
            bytes: AtomicUsize::new(minimum),
        });
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(memory.clone());
        Ok(Box::new(Lent(memory)))
    }
}

/// A memory in the hands of the engine.
struct Lent(Arc<Memory>);

#[allow(unsafe_code, reason = "the trait asks for a memory that stays where it is, which this does")]
unsafe impl LinearMemory for Lent {
    fn byte_size(&self) -> usize {
        self.0.bytes.load(Relaxed)
    }

    fn byte_capacity(&self) -> usize {
        MAX_BYTES
    }

    fn grow_to(&mut self, bytes: usize) -> wasmtime::Result<()> {
        if bytes > MAX_BYTES {
            wasmtime::bail!("{bytes} bytes of memory are too many");
        }
        self.0.bytes.store(bytes, Relaxed);
        Ok(())
    }

    fn as_ptr(&self) -> *mut u8 {
        self.0.words.as_ptr().cast_mut().cast()
    }
}
