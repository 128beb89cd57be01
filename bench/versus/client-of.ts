import type { Peer } from '../scoreboard/types.ts'

export type ClientKind = 'fetch' | 'axios'

/** The client under each peer. What a peer adds is measured over that client alone. */
export const clientOf = ({ name }: Pick<Peer, 'name'>): ClientKind => (/axios/.test(name) ? 'axios' : 'fetch')
