import { UserServiceService } from '../../proto/gen/telltale/users/v1/user.ts';
import { kitVariables, readConfig } from '../kit/config.ts';
import { serve } from '../kit/serve.ts';
import { bind } from '../kit/server.ts';
import { createDirectory } from './directory.ts';
import { users } from './users.ts';

const config = readConfig(kitVariables);

await serve({ config, services: [bind(UserServiceService, users(createDirectory()))] });
