// Shows a line where a script of the page has failed, be it that the browser is too old for it.
// No module: it runs where modules do not.

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
    // Browsers report a layout that takes a second round as an error; it is none.
    if (/^ResizeObserver loop/.test(event.message || "")) return;
    if (script || (event.target === window && isOwn(event.filename))) show();
  }, true);
  addEventListener("unhandledrejection", show);
  addEventListener("DOMContentLoaded", function () {
    if (!("noModule" in document.createElement("script"))) show();
  });
})();
