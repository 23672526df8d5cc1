/** An id is text of anybody's: what could move a terminal's cursor is not shown as it is. */
export function shownId(id: string): string {
  return /^[\w.:/#-]+$/.test(id) ? id : JSON.stringify(id);
}
