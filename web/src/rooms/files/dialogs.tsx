// One object: what is known of it, a link for somebody without a key, and its end.

import { useMutation, useQuery, useQueryClient, type InfiniteData } from "@tanstack/react-query";
import { Download } from "lucide-react";
import { useState, type SyntheticEvent } from "react";
import { client, data } from "../../api/client";
import { object as objectQuery } from "../../api/queries";
import type { ObjectPage } from "../../api/types";
import { Button } from "../../ui/Button";
import { CopyButton } from "../../ui/Copy";
import { Waiting } from "../../ui/Empty";
import { SelectField, TextField } from "../../ui/Field";
import { ProblemNotice } from "../../ui/Notice";
import { Confirm, Overlay } from "../../ui/Overlay";
import { Ago, bytes, Exact } from "../../ui/Time";
import { done } from "../../ui/Toasts";
import { ObjectTags } from "./ObjectTags";
import { Pairs } from "./Pairs";

interface Props {
  bucket: string;
  /** The key of the object. */
  of: string;
  open: boolean;
  onClose: () => void;
}

/** What follows the last slash, as short as a title has to be. */
export function nameOf(key: string): string {
  const name = key.slice(key.lastIndexOf("/") + 1) || key;
  const letters = Array.from(name);
  return letters.length > 60 ? `${letters.slice(0, 40).join("")}…${letters.slice(-15).join("")}` : name;
}

interface DetailsProps extends Props {
  /** The bucket takes changes. */
  writable: boolean;
  onDownload: (key: string) => void;
}

export function Details({ bucket, of, open, writable, onClose, onDownload }: DetailsProps) {
  const query = useQuery({ ...objectQuery(bucket, of), enabled: open });
  const it = query.data;
  return (
    <Overlay open={open} onClose={onClose} title={nameOf(of)} size="wide">
      <div className="dialog-body stack">
        {query.error ? (
          <ProblemNotice error={query.error} onRetry={() => void query.refetch()} />
        ) : it ? (
          <>
            <dl className="facts">
              <dt>Key</dt>
              <dd>
                <code className="wrap-anywhere">{it.key}</code>
              </dd>
              <dt>Size</dt>
              <dd>
                {bytes(it.size)} ({it.size.toLocaleString("en")} bytes)
              </dd>
              <dt>Changed</dt>
              <dd>
                <Exact at={it.last_modified} /> (<Ago at={it.last_modified} />)
              </dd>
              <dt>ETag</dt>
              <dd>
                <code className="wrap-anywhere">{it.etag}</code>
              </dd>
              {it.sha256 ? (
                <>
                  <dt>SHA-256</dt>
                  <dd>
                    <code className="small wrap-anywhere">{it.sha256}</code>
                  </dd>
                </>
              ) : null}
            </dl>
            <Pairs title="Headers" of={it.headers} />
            <Pairs title="Metadata" of={it.metadata} />
            <Pairs title="Checksums" of={it.checksums} />
            <ObjectTags bucket={bucket} object={it} writable={writable} />
          </>
        ) : (
          <Waiting what="the object" />
        )}
      </div>
      <div className="dialog-foot">
        {it ? (
          <Button onClick={() => onDownload(of)}>
            <Download size={16} aria-hidden /> Download
          </Button>
        ) : null}
        <Button look="primary" onClick={onClose}>
          Done
        </Button>
      </div>
    </Overlay>
  );
}

const HOUR = 3600;
const TIMES = [
  { value: String(HOUR), text: "One hour" },
  { value: String(24 * HOUR), text: "One day" },
  { value: String(7 * 24 * HOUR), text: "Seven days, the longest" },
] as const;

export function Share({ bucket, of, open, onClose }: Props) {
  const [time, setTime] = useState<string>(TIMES[0].value);
  const share = useMutation({
    mutationFn: () =>
      data(
        client.POST("/_/api/admin/buckets/{name}/object/share", {
          params: { path: { name: bucket } },
          body: { key: of, expires_in_secs: Number(time) },
        }),
      ),
  });
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    if (!share.isPending) share.mutate();
  };
  return (
    <Overlay open={open} onClose={onClose} title={`Share ${nameOf(of)}`}>
      <form onSubmit={submit}>
        <div className="dialog-body stack">
          <p>Whoever has the link downloads this object, without a key, until it ends.</p>
          <SelectField
            label="Ends after"
            value={time}
            options={TIMES}
            onChange={(next) => {
              setTime(next);
              share.reset();
            }}
          />
          {share.error ? <ProblemNotice error={share.error} title="No link was made" /> : null}
          {share.data ? (
            <div className="stack-small" role="status">
              <TextField label="Link" readOnly value={share.data.url} onFocus={(event) => event.target.select()} />
              <p className="quiet small">
                Ends <Exact at={share.data.expires_at} />, or when the access key{" "}
                <code className="wrap-anywhere">{share.data.access_key_id}</code> that signed it does.
              </p>
            </div>
          ) : null}
        </div>
        <div className="dialog-foot">
          <Button onClick={onClose}>{share.data ? "Done" : "Cancel"}</Button>
          {share.data ? (
            <CopyButton text={share.data.url} label="Copy link" words="Copy link" />
          ) : (
            <Button type="submit" look="primary" busy={share.isPending}>
              Make the link
            </Button>
          )}
        </div>
      </form>
    </Overlay>
  );
}

export function DeleteObject({ bucket, of, open, onClose }: Props) {
  const queries = useQueryClient();
  const remove = useMutation({
    mutationFn: () =>
      data(
        client.DELETE("/_/api/admin/buckets/{name}/object", { params: { path: { name: bucket }, query: { key: of } } }),
      ),
    onSuccess: () => {
      done(`${nameOf(of)} is deleted`);
      onClose();
      // It is taken off the pages that are here: reading them all again would take one call each.
      queries.setQueriesData<InfiniteData<ObjectPage>>({ queryKey: ["objects", bucket] }, (known) =>
        known && "pages" in known
          ? {
              ...known,
              pages: known.pages.map((page) => ({
                ...page,
                objects: page.objects.filter((object) => object.key !== of),
              })),
            }
          : known,
      );
      void queries.invalidateQueries({ queryKey: ["buckets"] });
    },
  });
  return (
    <Confirm
      open={open}
      onClose={onClose}
      title={`Delete ${nameOf(of)}?`}
      action="Delete object"
      busy={remove.isPending}
      onConfirm={() => remove.mutate()}
    >
      <p>
        <code className="wrap-anywhere">{of}</code> is gone for good: buckets keep no older versions, and backups hold
        no objects.
      </p>
      {remove.error ? <ProblemNotice error={remove.error} title="The object was not deleted" /> : null}
    </Confirm>
  );
}
