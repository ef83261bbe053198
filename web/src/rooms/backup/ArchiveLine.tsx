// The archive that a restore is about: its name, its size, what it says of itself.

import { FileArchive, FileCheck2 } from "lucide-react";
import type { Restored, Verified } from "../../api/types";
import { Ago, bytes, Exact } from "../../ui/Time";

interface Props {
  name: string;
  /** Missing where the server has not said it yet. */
  size: number | undefined;
  of: Archive | undefined;
}

export interface Archive {
  at: string;
  version: string;
}

export function fromManifest({ manifest }: Verified): Archive {
  return { at: manifest.captured_at, version: manifest.server_version };
}

/** Of a stored backup the plan says it. */
export function fromPlan({ archive }: Restored): Archive | undefined {
  return archive ? { at: archive.captured_at, version: archive.server_version } : undefined;
}

export function ArchiveLine({ name, size, of }: Props) {
  return (
    <section className="card" aria-label="The archive">
      <div className="card-body row row-line">
        {of ? <FileCheck2 size={22} aria-hidden /> : <FileArchive size={22} aria-hidden />}
        <div className="grow">
          <div className="label wrap-anywhere">{name}</div>
          <div className="quiet small">
            {size === undefined ? null : bytes(size)}
            {of ? (
              <>
                {size === undefined ? "" : " · "}captured <Exact at={of.at} /> (<Ago at={of.at} />) by version{" "}
                {of.version}
              </>
            ) : null}
          </div>
        </div>
        {of ? <span className="pill pill-good">Verified</span> : null}
      </div>
    </section>
  );
}
