import { facts } from '../../../shared/bff.ts'

export const load = async ({ request }: { request: Request }) => ({ facts: await facts(request) })
