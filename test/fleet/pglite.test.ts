import { PGlite } from '@electric-sql/pglite'
import { postgresFleet, postgresSchema } from '../../src/fleet/postgres.ts'
import { describeFleet, LEASE } from './describe-fleet.ts'

describeFleet('PGlite', async () => {
  const database = new PGlite()
  await database.exec(postgresSchema())
  return {
    isRemote: true,
    open: async () =>
      postgresFleet((statement, values) => database.query(statement, values), {
        lease: LEASE,
        listen: (channel, hear) => database.listen(channel, hear),
      }),
    close: () => database.close(),
  }
})
