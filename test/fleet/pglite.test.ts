import { PGlite } from '@electric-sql/pglite'
import { postgresFleet, postgresSchema } from '../../src/fleet/postgres.ts'
import { describeFleet } from './describe-fleet.ts'

describeFleet('PGlite', async () => {
  const database = new PGlite()
  await database.exec(postgresSchema())
  return {
    isRemote: true,
    open: async (lease) =>
      postgresFleet((statement, values) => database.query(statement, values), {
        lease,
        listen: (channel, hear) => database.listen(channel, hear),
      }),
    close: () => database.close(),
  }
})
