import { BigqueryFailure, isNotFound } from './trouble.ts';

/** No rows where the dataset or the table is not there yet. */
export async function unlessMissing<T>(rows: Promise<T[]>): Promise<T[]> {
  try {
    return await rows;
  } catch (error) {
    if (error instanceof BigqueryFailure && isNotFound(error.trouble)) return [];
    throw error;
  }
}
