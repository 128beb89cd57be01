import { headers } from 'next/headers'
import { facts } from '../../shared/bff.ts'

export default async function Page() {
  return <h1>{await facts({ headers: await headers() })}</h1>
}
