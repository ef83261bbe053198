// Backends: where objects lie, whether each place answers and since when, and what can be done to it.

import { Menu } from "@base-ui/react/menu";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useSearch } from "@tanstack/react-router";
import { Activity, Database, Ellipsis, Pencil, Plus, Trash2 } from "lucide-react";
import { client, data } from "../../api/client";
import { backends as backendsQuery } from "../../api/queries";
import type { ClaimedBackend, StorageBackend } from "../../api/types";
import { useMe } from "../../session/useMe";
import { Button, buttonClass } from "../../ui/Button";
import { Empty, Waiting } from "../../ui/Empty";
import { marked, sentence } from "../../ui/marked";
import { Notice, ProblemNotice } from "../../ui/Notice";
import { Overlay } from "../../ui/Overlay";
import { Room } from "../../ui/Room";
import { Ago } from "../../ui/Time";
import { done } from "../../ui/Toasts";
import { useDialog } from "../../ui/useDialog";
import { count } from "../../ui/words";
import { AddBackend, ChangeBackend, RemoveBackend } from "./dialogs";
import { Look } from "./Planned";

export function BackendsRoom() {
  const { dialog, key: chosen } = useSearch({ from: "/backends" });
  const overlay = useDialog();
  const me = useMe();
  const backends = useQuery(backendsQuery);
  const one = backends.data?.find((backend) => backend.name === chosen);
  const add = me.may("config:secrets") ? (
    <Button look="primary" onClick={() => overlay.show("new")}>
      <Plus size={16} aria-hidden /> Add backend
    </Button>
  ) : null;
  return (
    <Room
      title="Backends"
      about="The places where objects lie. A bucket is routed to one of them; moving a route moves no objects."
      actions={backends.data?.length ? add : null}
    >
      {backends.error ? <ProblemNotice error={backends.error} onRetry={() => void backends.refetch()} /> : null}
      {backends.data ? (
        <div className="card">
          {backends.data.length === 0 ? (
            <Empty icon={Database} title="No backends">
              <p className="quiet">Without one no object can be stored.</p>
              {add}
            </Empty>
          ) : (
            <Table backends={backends.data} />
          )}
        </div>
      ) : backends.error ? null : (
        <div className="card">
          <Waiting what="backends" />
        </div>
      )}
      <AddBackend key={`new ${dialog ?? ""}`} open={dialog === "new"} onClose={overlay.close} />
      {one ? (
        <>
          <ChangeBackend key={`edit ${dialog ?? ""}`} of={one} open={dialog === "edit"} onClose={overlay.close} />
          <RemoveBackend key={`delete ${dialog ?? ""}`} of={one} open={dialog === "delete"} onClose={overlay.close} />
          <Probe key={`probe ${dialog ?? ""}`} of={one} open={dialog === "probe"} onClose={overlay.close} />
        </>
      ) : null}
    </Room>
  );
}

function Table({ backends }: { backends: readonly StorageBackend[] }) {
  return (
    <table className="table">
      <thead>
        <tr>
          <th scope="col">Name</th>
          <th scope="col">Place</th>
          <th scope="col">Buckets</th>
          <th scope="col">Health</th>
          <th scope="col">
            <span className="sr">Actions</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {backends.map((backend) => (
          <Row key={backend.name} of={backend} />
        ))}
      </tbody>
    </table>
  );
}

/** Where the place of a backend is written. */
function origin(of: string): string {
  if (of === "default") return "built in";
  return of.startsWith("env:") ? `from ${of.slice(4)}` : "from the config file";
}

function Row({ of }: { of: StorageBackend }) {
  const overlay = useDialog();
  const me = useMe();
  const { health } = of;
  const may = { write: me.may("config:write"), secrets: me.may("config:secrets"), probe: me.may("system:write") };
  return (
    <tr>
      <td>
        <div>
          <strong className="wrap-anywhere">{of.name}</strong>{" "}
          {of.default ? <span className="pill pill-accent">Default</span> : null}{" "}
          {of.read_only ? <span className="pill pill-warn">Read-only</span> : null}
        </div>
      </td>
      <td data-label="Place">
        <div>
          <code className="wrap-anywhere">{of.root ?? of.path ?? of.type}</code>
          <div className="quiet small wrap-anywhere">
            {of.type === "s3" ? `S3 account in ${of.region ?? ""}, key ${of.access_key_id ?? ""}` : "directory"},{" "}
            {origin(of.origin)}
          </div>
        </div>
      </td>
      <td data-label="Buckets">
        <span>{of.buckets}</span>
      </td>
      <td data-label="Health">
        <div>
          <span className={health.up ? "pill pill-good" : "pill pill-bad"}>{health.up ? "Up" : "Down"}</span>
          <div className="quiet small">
            {health.last_success ? (
              <>
                last I/O <Ago at={health.last_success} />
              </>
            ) : (
              "not used yet"
            )}
            {health.last_failure ? (
              <>
                , last failure <Ago at={health.last_failure} />
              </>
            ) : null}
          </div>
          {health.reason ? <div className="small wrap-anywhere">{marked(sentence(health.reason))}</div> : null}
        </div>
      </td>
      <td className="cell-end">
        <div className="row row-end">
          {may.probe ? (
            <Button small aria-label={`Probe ${of.name}`} onClick={() => overlay.show("probe", of.name)}>
              <Activity size={15} aria-hidden /> Probe
            </Button>
          ) : null}
          {may.write ? (
            <Menu.Root>
              <Menu.Trigger className={buttonClass("plain", true, "button-icon")} aria-label={`Actions for ${of.name}`}>
                <Ellipsis size={16} aria-hidden />
              </Menu.Trigger>
              <Menu.Portal>
                <Menu.Positioner align="end" sideOffset={4} className="over">
                  <Menu.Popup className="menu">
                    <Menu.Item className="menu-item" onClick={() => overlay.show("edit", of.name)}>
                      <Pencil size={15} aria-hidden /> Change…
                    </Menu.Item>
                    {may.secrets ? (
                      <>
                        <Menu.Separator className="menu-line" />
                        <Menu.Item className="menu-item menu-item-bad" onClick={() => overlay.show("delete", of.name)}>
                          <Trash2 size={15} aria-hidden /> Remove…
                        </Menu.Item>
                      </>
                    ) : null}
                  </Menu.Popup>
                </Menu.Positioner>
              </Menu.Portal>
            </Menu.Root>
          ) : null}
        </div>
      </td>
    </tr>
  );
}

/** Which buckets came with a place that was taken over, and which did not. */
function Claimed({ of: { adopted, doubles } }: { of: ClaimedBackend }) {
  return (
    <>
      <Notice
        tone="good"
        title={adopted.length === 0 ? "No bucket was new" : `${count(adopted.length, "bucket")} taken in`}
        live
      >
        <Names of={adopted} />
      </Notice>
      {doubles.length > 0 ? (
        <Notice
          tone="warn"
          title={doubles.length === 1 ? "1 bucket left as it is" : `${doubles.length} buckets left as they are`}
          live
        >
          <p>On another backend there is one of the same name. A bucket under another name reaches it by its alias.</p>
          <Names of={doubles} />
        </Notice>
      ) : null}
    </>
  );
}

/** More than this nobody reads here. */
const MOST = 50;

function Names({ of }: { of: readonly string[] }) {
  if (of.length === 0) return null;
  return (
    <p className="wrap-anywhere">
      {of.slice(0, MOST).join(", ")}
      {of.length > MOST ? ` and ${of.length - MOST} more` : ""}
    </p>
  );
}

/** Looks at the place now, and offers what helps where it is not this backend's own. */
function Probe({ of, open, onClose }: { of: StorageBackend; open: boolean; onClose: () => void }) {
  const me = useMe();
  const queries = useQueryClient();
  const probe = useQuery({
    queryKey: ["backends", of.name, "probe"],
    queryFn: () => data(client.POST("/_/api/admin/backends/{name}/probe", { params: { path: { name: of.name } } })),
    enabled: open,
    gcTime: 0,
    staleTime: Infinity,
    refetchOnWindowFocus: false,
  });
  const claim = useMutation({
    mutationFn: (how: "init" | "adopt") =>
      data(client.POST(`/_/api/admin/backends/{name}/${how}`, { params: { path: { name: of.name } } })),
    onSuccess: () => done(`${of.name} serves`),
    onSettled: () => queries.invalidateQueries(),
  });
  const state = probe.data?.look.state;
  return (
    <Overlay open={open} onClose={onClose} title={`${of.name} as it is now`}>
      <div className="dialog-body stack">
        {probe.error ? (
          <ProblemNotice
            error={probe.error}
            title="The backend was not looked at"
            onRetry={() => void probe.refetch()}
          />
        ) : probe.data && !probe.isFetching ? (
          <>
            <Look of={probe.data.look} />
            <p>
              {probe.data.health.up ? "It answers" : "It does not answer"}. {count(of.buckets, "bucket")} of this server{" "}
              {of.buckets === 1 ? "is" : "are"} there.
            </p>
          </>
        ) : (
          <Waiting what="what is there" />
        )}
        {me.may("config:secrets") && (state === "lost" || state === "new") && !probe.data?.health.up ? (
          <p>
            If this is the right place and it is empty or was restored by hand, make it this backend’s own.{" "}
            <Button small busy={claim.isPending} onClick={() => claim.mutate("init")}>
              Make it its own
            </Button>
          </p>
        ) : null}
        {me.may("config:secrets") && state === "foreign" ? (
          <p>
            If the data that lies there is what you want to serve, take it over under the id that it has.{" "}
            <Button small busy={claim.isPending} onClick={() => claim.mutate("adopt")}>
              Take it over
            </Button>
          </p>
        ) : null}
        {me.may("config:secrets") && state === "ready" && probe.data?.health.up && !claim.data ? (
          <p>
            Buckets with objects in them were taken in when the backend came. Those that came later, and empty ones, are
            taken in when you say so.{" "}
            <Button small busy={claim.isPending} onClick={() => claim.mutate("adopt")}>
              Take in all its buckets
            </Button>
          </p>
        ) : null}
        {claim.data ? <Claimed of={claim.data} /> : null}
        {claim.error ? <ProblemNotice error={claim.error} title="Nothing was changed" /> : null}
      </div>
      <div className="dialog-foot">
        <Button onClick={() => void probe.refetch()} busy={probe.isFetching}>
          Look again
        </Button>
        <Button look="primary" onClick={onClose}>
          Done
        </Button>
      </div>
    </Overlay>
  );
}
