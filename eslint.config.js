import js from "@eslint/js";
import globals from "globals";

export default [
  js.configs.recommended,
  {
    languageOptions: { globals: globals.browser },
    rules: { "require-atomic-updates": "error", eqeqeq: "error", "prefer-const": "error" },
  },
  // Runs where modules do not.
  { files: ["**/fault_line.js"], languageOptions: { sourceType: "script", ecmaVersion: 5 } },
];
