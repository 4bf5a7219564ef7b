import { loadCatalog } from './catalog.ts';
import { serveLab } from './serve-lab.ts';

await serveLab(mode => loadCatalog(mode));
