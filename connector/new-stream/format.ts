/** Pieces of TypeScript as the project's formatter leaves them. */

const IDENTIFIER = /^[A-Za-z_$][\w$]*$/;

function text(said: string): string {
  const quote = said.includes("'") && !said.includes('"') ? '"' : "'";
  return `${quote}${harmless(said).replaceAll('\\"', '"').replaceAll(quote, `\\${quote}`)}${quote}`;
}

/** A text in which nothing ends a line, a comment or a string but a quotation mark. */
function harmless(said: string): string {
  return JSON.stringify(said)
    .slice(1, -1)
    .replace(
      /[\u007f-\u009f\u2028-\u202e\u2066-\u2069\ufeff]/g,
      (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`,
    );
}

export const FORMAT = {
  lineWidth: 120,
  /** A string literal. */
  text,
  harmless,
  /** A property's name: quoted where it has to be. */
  key: (name: string) => (IDENTIFIER.test(name) ? name : text(name)),
  /** `borrower_deals` as `borrowerDeals`. */
  variable: (name: string) => name.replace(/_+([a-z\d])/g, (_, letter: string) => letter.toUpperCase()),
};
