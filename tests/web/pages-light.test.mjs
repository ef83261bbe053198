// Every page there is, light and wide.

import { everyPage } from "./support/every-page.mjs";

everyPage("light", 1280);
