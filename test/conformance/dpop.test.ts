import { conformWithDPoP } from './conform-with-dpop.ts'
import { transports } from './transports.ts'

/** Each transport takes half a minute. CI tries every second one: they share the code that proves. */
const tried = process.env.CI ? transports.filter((_, index) => index % 2 === 0) : transports

for (const transport of tried) conformWithDPoP(transport)
