// Every page there is, dark and narrow.

import { everyPage } from "./support/every-page.mjs";

everyPage("dark", 360);
