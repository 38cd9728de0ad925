//! The app, mounted into the page.

fn main() {
    console_error_panic_hook::set_once();
    miniature::app::start();
}
