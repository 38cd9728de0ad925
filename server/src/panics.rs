//! Panics, in the form in which everything else is logged.

use std::panic::{self, PanicHookInfo};

/// Has every panic logged from now on, in place of what is printed.
pub fn log() {
    panic::set_hook(Box::new(tell));
}

fn tell(panic: &PanicHookInfo<'_>) {
    let reason = panic.payload_as_str().unwrap_or("it does not say why");
    let at = panic.location().map(ToString::to_string).unwrap_or_default();
    tracing::error!(reason, at, "panicked");
}

#[cfg(test)]
mod tests {
    use std::{
        io::{self, Write},
        sync::{Arc, Mutex},
    };

    use super::*;

    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl Write for Log {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_panic_is_a_line_of_the_log_like_any_other() {
        let kept = Log::default();
        let writer = kept.clone();
        let subscriber = tracing_subscriber::fmt().json().with_writer(move || writer.clone());
        let before = panic::take_hook();
        log();
        tracing::subscriber::with_default(subscriber.finish(), || {
            panic::catch_unwind(|| panic!("of a test")).unwrap_err();
        });
        panic::set_hook(before);

        let line = serde_json::from_slice::<serde_json::Value>(&kept.0.lock().unwrap()).unwrap();
        assert_eq!(
            (&line["level"], &line["fields"]["reason"]),
            (&"ERROR".into(), &"of a test".into())
        );
        assert!(line["fields"]["at"].as_str().unwrap().contains("panics.rs"), "{line}");
    }
}
