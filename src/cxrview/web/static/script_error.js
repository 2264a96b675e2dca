// Shows an error line if a script of the page fails, or the browser is too old for it. This is not
// a module, so that it also runs in browsers without modules.

(function () {
  function show() {
    var line = document.getElementById("fault");
    if (line) line.hidden = false;
  }
  /** @param {string} address */
  function isOwn(address) {
    return !address || String(address).indexOf(location.origin) === 0;
  }
  addEventListener("error", function (event) {
    var script = event.target instanceof HTMLScriptElement;
    // Browsers report a second layout pass as an error, although it is not one.
    if (/^ResizeObserver loop/.test(event.message || "")) return;
    if (script || (event.target === window && isOwn(event.filename))) show();
  }, true);
  addEventListener("unhandledrejection", show);
  addEventListener("DOMContentLoaded", function () {
    if (!("noModule" in document.createElement("script"))) show();
  });
})();
