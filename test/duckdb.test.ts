import { destinationSuite } from './destination-suite.ts';
import { duckdbTarget } from './duckdb-target.ts';

destinationSuite('duckdb', () => duckdbTarget('clear grid'), { shared: false });
