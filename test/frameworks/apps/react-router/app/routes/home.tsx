import { useLoaderData } from 'react-router'
import { facts } from '../../../shared/bff.ts'

export const loader = ({ request }: { request: Request }) => facts(request)

export default () => <h1>{useLoaderData<typeof loader>()}</h1>
