// What every test process loads first: tests talk to loopback addresses, never through a proxy that the environment names.
import { connectDirectly } from '../services/kit/connect-directly.ts';

connectDirectly();
