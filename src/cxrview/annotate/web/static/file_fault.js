// Explains to a reader why an image cannot be displayed. The server sends `code: reason`.

/** Files that are missing, or were replaced after the study was created. Neither is a reason to
 * exclude the image.
 * @type {Record<string, string>} */
const FILE_IS = { cannot_open: "missing", replaced: "not the one that the study was created with" };
/** @type {Record<string, string>} */
const IN_SHORT = { cannot_open: "file missing", replaced: "file replaced" };

/** @param {string} why */
const codeOf = (why) => why.split(":")[0];

/**
 * What is wrong with the file itself; empty if the image in it is at fault.
 * @param {string} why
 */
export const fileFault = (why) => FILE_IS[codeOf(why)] ?? "";

/**
 * A short reason, for a thumbnail.
 * @param {string} why
 */
export const inShort = (why) => IN_SHORT[codeOf(why)] ?? "cannot be displayed";

/**
 * What the reader can do.
 * @param {string} why
 * @param {string} skip how this page skips an image: "postpone", or in the grid "leave out"
 */
export function advice(why, skip = "postpone") {
  const fault = fileFault(why);
  return fault ? `The file is ${fault}: ${skip} the image and tell the study's administrator` : `Exclude the image, or ${skip} it`;
}
