// Lets node find the scripts that all pages share, which a browser finds at the same address.

import { register } from "node:module";

const SHARED = new URL("../../../src/cxrview/web/static/", import.meta.url).href;
const HOOK = `
  export async function resolve(specifier, context, next) {
    try {
      return await next(specifier, context);
    } catch (error) {
      if (!/^\\.\\/\\w+\\.js$/.test(specifier)) throw error;
      return next(new URL(specifier, ${JSON.stringify(SHARED)}).href, context);
    }
  }
`;
register(`data:text/javascript,${encodeURIComponent(HOOK)}`);
