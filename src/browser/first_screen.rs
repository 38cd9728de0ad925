//! What `boot.js` has drawn before the program started, which the app takes the place of.

use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::HtmlElement;

#[wasm_bindgen]
extern "C" {
    #[derive(Clone)]
    type FirstScreen;
    #[wasm_bindgen(thread_local_v2, js_namespace = globalThis, js_name = miniatureFirstScreen)]
    static FIRST_SCREEN: Option<FirstScreen>;
    #[wasm_bindgen(method, getter, js_name = root)]
    fn root(this: &FirstScreen) -> HtmlElement;
    #[wasm_bindgen(method, js_name = giveWay)]
    fn give_way(this: &FirstScreen);
}

/// Where the app is to be mounted, out of the document until [`give_way`]; none if nothing is drawn.
pub fn root() -> Option<HtmlElement> {
    FIRST_SCREEN.with(|screen| screen.as_ref().map(FirstScreen::root))
}

/// Puts the app in the place of what was drawn, with its focus, and carries out what was clicked. Once.
pub fn give_way() {
    if let Some(screen) = FIRST_SCREEN.with(Clone::clone) {
        screen.give_way();
    }
}
