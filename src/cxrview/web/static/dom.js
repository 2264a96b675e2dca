// Find and create elements of the page.

/**
 * @param {string} id
 * @returns {any} the element; `any`, since its type depends on the page
 */
export function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no element #${id}`);
  return found;
}

/**
 * @param {string} selector
 * @param {ParentNode} [within]
 * @returns {HTMLElement[]}
 */
export const all = (selector, within = document) => [...within.querySelectorAll(selector)].map((one) => /** @type {HTMLElement} */ (one));

/**
 * @param {string} tag
 * @param {Record<string, any>} [properties] of the element, such as className or textContent
 * @param {...(Node | string)} children
 * @returns {any}
 */
export function createElement(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

/** @param {number} number */
export const formatInteger = (number) => Math.round(number).toLocaleString("en");
