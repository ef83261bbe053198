// The end of a clone's quarantine: what acts on other systems acts again.

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useSearch } from "@tanstack/react-router";
import { client, data } from "../../api/client";
import { health as healthQuery, status as statusQuery } from "../../api/queries";
import { useMe } from "../../session/useMe";
import { Button } from "../../ui/Button";
import { Notice, ProblemNotice } from "../../ui/Notice";
import { Confirm } from "../../ui/Overlay";
import { done } from "../../ui/Toasts";
import { useDialog } from "../../ui/useDialog";

export function GoLive() {
  const { dialog } = useSearch({ from: "/settings/system/backup" });
  const overlay = useDialog();
  const me = useMe();
  const queries = useQueryClient();
  const health = useQuery(healthQuery);
  const status = useQuery({ ...statusQuery, enabled: me.may("system:read") });
  const own = status.data?.instance_id;
  const live = useMutation({
    mutationFn: (instance: string) =>
      data(client.POST("/_/api/admin/backup/go-live", { body: { instance_id: instance } })),
    onSuccess: () => {
      done("This server is live");
      overlay.close();
      void queries.invalidateQueries();
    },
  });
  if (!health.data?.quarantined) return null;
  return (
    <>
      <Notice tone="warn" title="In quarantine">
        <p>
          This server was restored from another one, <code>{health.data.quarantined_from}</code>. While both may run,
          what would write where the original writes stays paused here. Scheduled backups go on, in a folder of this
          instance’s own.
        </p>
        {me.may("backup:restore") && own ? (
          <div>
            <Button onClick={() => overlay.show("go-live")}>Go live…</Button>
          </div>
        ) : null}
      </Notice>
      <Confirm
        open={dialog === "go-live" && own !== undefined}
        onClose={overlay.close}
        title="Go live?"
        action="Go live"
        typed="go live"
        busy={live.isPending}
        onConfirm={() => (own ? live.mutate(own) : undefined)}
      >
        <p>
          Everything that is paused begins at once. Do this only when the original,{" "}
          <code>{health.data.quarantined_from}</code>, no longer runs or is meant to be another server from now on:
          otherwise both write to the same places.
        </p>
        {live.error ? <ProblemNotice error={live.error} title="It is still in quarantine" /> : null}
      </Confirm>
    </>
  );
}
