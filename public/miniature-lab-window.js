// The dashboard's panel in a window of its own (src/ui/dashboard/panel/detach.rs).
import start, { open } from "/miniature-lab.js";

const page = window.opener;
let monitor;
let takeAway;

// A page that is loaded again has another monitor; where there is none yet, the panel stands as it was.
const follow = () => {
  let offered;
  try {
    if (page.closed) window.close();
    offered = page.cacheMonitor;
  } catch {
    // It shows another site.
    window.close();
  }
  if (!offered || offered === monitor) return;
  takeAway?.();
  window.cacheMonitor = monitor = offered;
  takeAway = open(() => window.close());
};

await start();
follow();
setInterval(follow, 500);
