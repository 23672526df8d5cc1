/**
 * How many rows, seeds or kills a test goes through: all of them where `CLEARGRID_TEST_FULL_SIZE=1` asks for it, as `.ci/run` does, else a tenth or
 * `otherwise`, so that `npm test` ends within minutes. What is tested is the same.
 */
export const fullSize = (count: number, otherwise: number = count / 10): number =>
  process.env.CLEARGRID_TEST_FULL_SIZE === '1' ? count : otherwise;
