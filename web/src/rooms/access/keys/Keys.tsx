// The access keys of one person: several may sign side by side, so that clients are changed over one by one.

import { Menu } from "@base-ui/react/menu";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Ellipsis, KeyRound, Plus } from "lucide-react";
import { useState, type ReactNode, type SyntheticEvent } from "react";
import type { AccessKey } from "../../../api/types";
import { Button, buttonClass } from "../../../ui/Button";
import { CopyButton } from "../../../ui/Copy";
import { Empty } from "../../../ui/Empty";
import { Choices } from "../../../ui/Field";
import { ProblemNotice } from "../../../ui/Notice";
import { Confirm, Overlay } from "../../../ui/Overlay";
import { Ago, useNow } from "../../../ui/Time";
import { done } from "../../../ui/Toasts";
import { useDialog } from "../../../ui/useDialog";
import { count } from "../../../ui/words";
import { SecretOnce } from "../Secret";

/** A pair that was just made: an answer of its own, or the user's with all pairs replaced. */
export interface Made {
  access_key_id?: string | null;
  secret_access_key?: string | null;
}

/** What can be done, by whichever part of the API the keys are of. */
export interface KeyCalls {
  make?: (expiresIn: string) => Promise<Made>;
  change: (id: string, active: boolean) => Promise<unknown>;
  remove: (id: string) => Promise<unknown>;
}

/** How long a new key may live; the first is proposed. */
export interface Life {
  value: string;
  title: string;
  text?: string;
}

interface Props {
  title: string;
  keys: readonly AccessKey[];
  /** Left out for whoever may only look. */
  calls?: KeyCalls | undefined;
  lives: readonly Life[];
  /** What is said in the form of a new key. */
  making: string;
  /** Why none of them signs, whatever each one's own state is. */
  blocked?: string | undefined;
  empty: string;
  /** Whose they are, as in `the last active key of anna`. */
  owner: string;
  about?: ReactNode;
  actions?: ReactNode;
  dialog: string | undefined;
  chosen: string | undefined;
}

export function Keys({ title, keys, calls, empty, owner, about, actions, dialog, chosen = "", ...rest }: Props) {
  const overlay = useDialog();
  const [made, setMade] = useState<Made | null>(null);
  const make = calls?.make;
  return (
    <>
      <section className="card" aria-label={title}>
        <div className="card-head">
          <h2>{title}</h2>
          {actions || make ? (
            <div className="row">
              {actions}
              {make ? (
                <Button look="primary" onClick={() => overlay.show("new-key")}>
                  <Plus size={16} aria-hidden /> New key
                </Button>
              ) : null}
            </div>
          ) : null}
        </div>
        {about ? <div className="card-body">{about}</div> : null}
        {keys.length === 0 ? (
          <Empty icon={KeyRound} title="No keys">
            <p className="quiet">{empty}</p>
          </Empty>
        ) : (
          keys.map((key) => <Key key={key.access_key_id} of={key} blocked={rest.blocked} calls={calls} />)
        )}
      </section>
      {make ? (
        <NewKey
          key={`make ${dialog ?? ""}`}
          owner={owner}
          lives={rest.lives}
          making={rest.making}
          make={make}
          open={dialog === "new-key" && !made}
          onClose={overlay.close}
          onMade={setMade}
        />
      ) : null}
      {calls ? (
        <DeleteKey
          id={chosen}
          others={keys.filter((key) => key.access_key_id !== chosen && key.active).length}
          owner={owner}
          remove={calls.remove}
          open={dialog === "delete-key"}
          onClose={overlay.close}
        />
      ) : null}
      <NewSecret
        made={made}
        owner={owner}
        onDone={() => {
          overlay.close();
          setMade(null);
        }}
      />
    </>
  );
}

/** A new pair, shown this once. */
export function NewSecret({ made, owner, onDone }: { made: Made | null; owner: string; onDone: () => void }) {
  return (
    <Overlay open={made !== null} onClose={onDone} title={`The new key of ${owner}`} firm size="wide">
      {made ? (
        <SecretOnce
          pair={{ accessKeyId: made.access_key_id ?? "", secret: made.secret_access_key ?? "" }}
          onDone={onDone}
        />
      ) : null}
    </Overlay>
  );
}

function Key({ of, blocked, calls }: { of: AccessKey; blocked: string | undefined; calls: KeyCalls | undefined }) {
  const overlay = useDialog();
  const queries = useQueryClient();
  const now = useNow();
  const change = useMutation({
    mutationFn: async (active: boolean) => calls?.change(of.access_key_id, active),
    onSuccess: (_, active) => {
      void queries.invalidateQueries();
      done(`${of.access_key_id} ${active ? "signs again" : "signs nothing more"}`);
    },
  });
  const expired = of.expires_at != null && Date.parse(of.expires_at) < now;
  const state = blocked ?? (expired ? "Expired" : of.active ? "Active" : "Inactive");
  return (
    <div className="key">
      <div className="key-id">
        <code className="wrap-anywhere">{of.access_key_id}</code>
        <CopyButton text={of.access_key_id} label={`Copy ${of.access_key_id}`} />
      </div>
      <span className="quiet small">
        created <Ago at={of.created_at} />
        {of.expires_at ? (
          <>
            , {expired ? "expired" : "expires"} <Ago at={of.expires_at} />
          </>
        ) : null}
        {of.last_used_at ? (
          <>
            , last used <Ago at={of.last_used_at} />
          </>
        ) : (
          ", not used yet"
        )}
      </span>
      <span className={state === "Active" ? "pill pill-good" : "pill pill-warn"}>{state}</span>
      {calls ? (
        <Menu.Root>
          <Menu.Trigger
            className={buttonClass("plain", true, "button-icon")}
            aria-label={`Actions for ${of.access_key_id}`}
          >
            <Ellipsis size={16} aria-hidden />
          </Menu.Trigger>
          <Menu.Portal>
            <Menu.Positioner align="end" sideOffset={4} className="over">
              <Menu.Popup className="menu">
                <Menu.Item className="menu-item" onClick={() => change.mutate(!of.active)}>
                  {of.active ? "Deactivate" : "Activate"}
                </Menu.Item>
                <Menu.Separator className="menu-line" />
                <Menu.Item
                  className="menu-item menu-item-bad"
                  onClick={() => overlay.show("delete-key", of.access_key_id)}
                >
                  Delete…
                </Menu.Item>
              </Menu.Popup>
            </Menu.Positioner>
          </Menu.Portal>
        </Menu.Root>
      ) : null}
      {change.error ? <ProblemNotice error={change.error} title="The key was not changed" /> : null}
    </div>
  );
}

function NewKey(props: {
  owner: string;
  lives: readonly Life[];
  making: string;
  make: (expiresIn: string) => Promise<Made>;
  open: boolean;
  onClose: () => void;
  onMade: (made: Made) => void;
}) {
  const [life, setLife] = useState(props.lives[0]?.value ?? "");
  const queries = useQueryClient();
  const make = useMutation({
    mutationFn: () => props.make(life),
    onSuccess: (made) => {
      props.onMade(made);
      void queries.invalidateQueries();
    },
  });
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    if (!make.isPending) make.mutate();
  };
  return (
    <Overlay open={props.open} onClose={props.onClose} title={`A further key for ${props.owner}`}>
      <form onSubmit={submit}>
        <div className="dialog-body stack">
          <p>{props.making}</p>
          <Choices legend="Ends after" name="life" value={life} options={props.lives} onChange={setLife} />
          {make.error ? <ProblemNotice error={make.error} title="No key was made" /> : null}
        </div>
        <div className="dialog-foot">
          <Button onClick={props.onClose}>Cancel</Button>
          <Button type="submit" look="primary" busy={make.isPending}>
            Make the key
          </Button>
        </div>
      </form>
    </Overlay>
  );
}

function DeleteKey(props: {
  id: string;
  others: number;
  owner: string;
  remove: (id: string) => Promise<unknown>;
  open: boolean;
  onClose: () => void;
}) {
  const { id, others, owner } = props;
  const queries = useQueryClient();
  const remove = useMutation({
    mutationFn: () => props.remove(id),
    onSuccess: () => {
      void queries.invalidateQueries();
      done(`${id} is deleted`);
      props.onClose();
    },
  });
  return (
    <Confirm
      open={props.open}
      onClose={props.onClose}
      title="Delete this key?"
      action="Delete key"
      busy={remove.isPending}
      onConfirm={() => remove.mutate()}
    >
      <p>
        <code className="wrap-anywhere">{id}</code> stops signing at once and cannot be brought back.{" "}
        {others === 0
          ? `It is the last active key of ${owner}: clients that use it fail.`
          : `${count(others, "other active key")} of ${owner} ${others === 1 ? "goes" : "go"} on.`}
      </p>
      {remove.error ? <ProblemNotice error={remove.error} title="The key was not deleted" /> : null}
    </Confirm>
  );
}
