import { reactRouterBff } from 'authchart/react-router'
import { Outlet, Scripts } from 'react-router'
import { bff } from '../../shared/bff.ts'

export const middleware = [reactRouterBff(bff)]

export default () => (
  <html lang="en">
    <head>
      <title>authchart</title>
    </head>
    <body>
      <Outlet />
      <Scripts />
    </body>
  </html>
)
