import { describeBinding } from './describe-binding.ts'

describeBinding('React 19', { example: 'react' })

const react18 = (name: string) => new URL(`react-18/node_modules/${name}`, import.meta.url).pathname

describeBinding('React 18', {
  example: 'react',
  versions: { 'react-dom': react18('react-dom'), react: react18('react') },
})
