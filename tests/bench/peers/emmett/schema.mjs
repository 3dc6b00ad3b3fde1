// Prints the statements by which Emmett makes its tables and functions.
import { getPostgreSQLEventStore } from '@event-driven-io/emmett-postgresql';

// Nothing connects to it.
const store = getPostgreSQLEventStore('postgresql://localhost/none');
console.log(store.schema.sql());
await store.close();
