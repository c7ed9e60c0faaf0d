// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Runs the DuckDB examples of docs/format/lake.md over a lake and prints their
// results as JSON: {"name": [{"column": value, …}, …], …}.
//
//   node check.mjs LAKE_DIR PAGE.md
//
// An example is a fenced block of SQL that follows the line <!-- duckdb: name -->.
// The path DATA/lake in it is replaced by LAKE_DIR.

import { readFileSync } from 'node:fs';
import { DuckDBConnection } from '@duckdb/node-api';

const [dir, page] = process.argv.slice(2);
if (!dir || !page) {
  console.error('usage: node check.mjs LAKE_DIR PAGE.md');
  process.exit(2);
}

const examples = readFileSync(page, 'utf8').matchAll(/<!-- duckdb: ([\w-]+) -->\s*```sql\n(.*?)```/gs);
const connection = await DuckDBConnection.create();
await connection.run("SET TimeZone = 'UTC'");
const results = {};
for (const [, name, text] of examples) {
  const sql = text.replaceAll('DATA/lake', dir.replaceAll("'", "''"));
  try {
    const reader = await connection.runAndReadAll(sql);
    results[name] = reader.getRowObjectsJson();
  } catch (error) {
    console.error(`example ${name}: ${error.message}`);
    process.exit(1);
  }
}
console.log(JSON.stringify(results));
