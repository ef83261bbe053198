// The form of the schedule: planned by the server, read, and then written into the configuration file.

import { useState } from "react";
import { answered, client } from "../../api/client";
import type { Schedule } from "../../api/types";
import { CheckField, Choices, TextField } from "../../ui/Field";
import { Overlay } from "../../ui/Overlay";
import { Planned } from "../backends/Planned";

type Where = "nowhere" | "directory" | "bucket";

interface Props {
  of: Schedule;
  open: boolean;
  onClose: () => void;
}

/** A number that may be left out. */
function number(text: string): number | null {
  return text.trim() === "" ? null : Number(text);
}

export function ScheduleForm({ of, open, onClose }: Props) {
  const { destination, keep } = of;
  const [cron, setCron] = useState(of.schedule ?? (destination ? "" : "0 2 * * *"));
  const [rest, setRest] = useState(of.on_change_secs === null ? "" : String(of.on_change_secs / 60));
  const [where, setWhere] = useState<Where>(destination?.kind === "bucket" ? "bucket" : "directory");
  const [directory, setDirectory] = useState(destination?.directory ?? "");
  const [bucket, setBucket] = useState(destination?.bucket ?? "");
  const [prefix, setPrefix] = useState(destination?.prefix ?? "");
  const [last, setLast] = useState(keep.last === null ? (destination ? "" : "14") : String(keep.last));
  const [days, setDays] = useState(keep.days === null ? "" : String(keep.days));
  const [verify, setVerify] = useState(of.verify);
  const off = where === "nowhere";
  const minutes = number(rest);
  const body = {
    schedule: off || cron.trim() === "" ? null : cron.trim(),
    on_change_secs: off || minutes === null ? null : Math.round(minutes * 60),
    destination: off
      ? null
      : where === "directory"
        ? { directory: directory.trim() }
        : { bucket: bucket.trim(), prefix: prefix.trim() },
    keep: { last: number(last), days: number(days) },
    verify,
  };
  return (
    <Overlay open={open} onClose={onClose} title="Change the schedule" size="wide">
      <Planned
        wish={JSON.stringify(body)}
        call={({ dryRun, version }) =>
          answered(
            client.PUT("/_/api/admin/backups/schedule", {
              params: { query: dryRun ? { dry_run: true } : {}, header: version ? { "If-Match": version } : {} },
              body,
            }),
          )
        }
        action="Change the schedule"
        refused="The schedule was not changed"
        said="The schedule is changed"
        onClose={onClose}
        onDone={onClose}
      >
        <Choices
          legend="Where"
          name="where"
          value={where}
          options={[
            { value: "directory", title: "A directory", text: "Of this server; a mounted disk or share is best" },
            {
              value: "bucket",
              title: "A bucket",
              text: "Of this server; encrypted to the recipients that the configuration names",
            },
            { value: "nowhere", title: "Nowhere", text: "Nothing is stored; what is stored already stays" },
          ]}
          onChange={setWhere}
        />
        {where === "directory" ? (
          <TextField
            label="Directory"
            required
            placeholder="/var/backups/deltaglider"
            value={directory}
            onChange={(event) => setDirectory(event.target.value)}
          />
        ) : null}
        {where === "bucket" ? (
          <>
            <TextField label="Bucket" required value={bucket} onChange={(event) => setBucket(event.target.value)} />
            <TextField
              label="Prefix"
              placeholder="dgp/"
              value={prefix}
              onChange={(event) => setPrefix(event.target.value)}
            />
          </>
        ) : null}
        {off ? null : (
          <>
            <TextField
              label="When"
              placeholder="0 2 * * *"
              value={cron}
              onChange={(event) => setCron(event.target.value)}
              hint="Minute, hour, day, month, weekday, in UTC: 0 2 * * * is every night at two. Empty: by no clock."
            />
            <TextField
              label="Minutes after a change"
              type="number"
              min={1}
              value={rest}
              onChange={(event) => setRest(event.target.value)}
              hint="Also when the configuration or the users have rested for so long. Empty: not after changes."
            />
            <TextField
              label="Keep the last"
              type="number"
              min={1}
              value={last}
              onChange={(event) => setLast(event.target.value)}
            />
            <TextField
              label="Keep those of so many days"
              type="number"
              min={1}
              value={days}
              onChange={(event) => setDays(event.target.value)}
              hint="One stays that either rule keeps, and the last verified one always. Both empty: all stay."
            />
            <CheckField
              label="Read each one back"
              hint="Only one that was read back whole counts as verified."
              checked={verify}
              onChange={(event) => setVerify(event.target.checked)}
            />
          </>
        )}
      </Planned>
    </Overlay>
  );
}
