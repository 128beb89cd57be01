import { conformWithDPoP } from './conform-with-dpop.ts'
import { transports } from './transports.ts'

/** Each transport takes half a minute. CI tries the first one: they share the code that proves. */
const tried = process.env.CI ? transports.slice(0, 1) : transports

for (const transport of tried) conformWithDPoP(transport)
