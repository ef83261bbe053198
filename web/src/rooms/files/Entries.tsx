// The rows of a folder: further folders, and objects with what can be done with each.

import { Menu } from "@base-ui/react/menu";
import { Link } from "@tanstack/react-router";
import { Download, Ellipsis, File, Folder, Info, Link2, Trash2 } from "lucide-react";
import type { ListedObject } from "../../api/types";
import { buttonClass } from "../../ui/Button";
import { LongBody } from "../../ui/LongBody";
import { Ago, bytes } from "../../ui/Time";
import { useDialog } from "../../ui/useDialog";

export type Entry = { folder: true; key: string } | ({ folder: false } & ListedObject);

export function downloadOf(bucket: string, key: string): string {
  return `/_/api/admin/buckets/${encodeURIComponent(bucket)}/object/download?key=${encodeURIComponent(key)}`;
}

interface Props {
  bucket: string;
  prefix: string;
  of: readonly Entry[];
  writable: boolean;
  onDownload: (key: string) => void;
}

export function Entries({ bucket, prefix, of, writable, onDownload }: Props) {
  return (
    <table className="table table-rows table-names" aria-rowcount={of.length + 1}>
      <thead>
        <tr>
          <th scope="col">Name</th>
          <th scope="col">Size</th>
          <th scope="col">Changed</th>
          <th scope="col">
            <span className="sr">Actions</span>
          </th>
        </tr>
      </thead>
      <LongBody
        items={of}
        columns={4}
        row={(entry, props) => {
          // An object may be called as the folder that it is in.
          const name = entry.key.slice(prefix.length) || "(the folder itself)";
          return entry.folder ? (
            <tr key={entry.key} {...props}>
              <td>
                <Link to="/files/$bucket" params={{ bucket }} search={{ prefix: entry.key }} className="row-link entry">
                  <Folder size={16} aria-hidden />
                  <span className="three-lines wrap-anywhere">{name}</span>
                </Link>
              </td>
              <td colSpan={3} />
            </tr>
          ) : (
            <tr key={entry.key} {...props}>
              <td>
                <Link
                  to="/files/$bucket"
                  params={{ bucket }}
                  search={(search) => ({ ...search, dialog: "details", key: entry.key })}
                  className="row-link entry"
                >
                  <File size={16} aria-hidden />
                  <span className="three-lines wrap-anywhere">{name}</span>
                </Link>
              </td>
              <td data-label="Size">
                <span className="nowrap">{bytes(entry.size)}</span>
              </td>
              <td data-label="Changed">
                <span>
                  <Ago at={entry.last_modified} />
                </span>
              </td>
              <td className="cell-end">
                <Actions of={entry} name={name} writable={writable} onDownload={onDownload} />
              </td>
            </tr>
          );
        }}
      />
    </table>
  );
}

function Actions(props: { of: ListedObject; name: string; writable: boolean; onDownload: (key: string) => void }) {
  const overlay = useDialog();
  const { key } = props.of;
  return (
    <div className="row row-end">
      <Menu.Root>
        <Menu.Trigger className={buttonClass("plain", true, "button-icon")} aria-label={`Actions for ${props.name}`}>
          <Ellipsis size={16} aria-hidden />
        </Menu.Trigger>
        <Menu.Portal>
          <Menu.Positioner align="end" sideOffset={4} className="over">
            <Menu.Popup className="menu">
              <Menu.Item className="menu-item" onClick={() => props.onDownload(key)}>
                <Download size={15} aria-hidden /> Download
              </Menu.Item>
              <Menu.Item className="menu-item" onClick={() => overlay.show("details", key)}>
                <Info size={15} aria-hidden /> Details…
              </Menu.Item>
              <Menu.Item className="menu-item" onClick={() => overlay.show("share", key)}>
                <Link2 size={15} aria-hidden /> Share…
              </Menu.Item>
              {props.writable ? (
                <>
                  <Menu.Separator className="menu-line" />
                  <Menu.Item className="menu-item menu-item-bad" onClick={() => overlay.show("delete", key)}>
                    <Trash2 size={15} aria-hidden /> Delete…
                  </Menu.Item>
                </>
              ) : null}
            </Menu.Popup>
          </Menu.Positioner>
        </Menu.Portal>
      </Menu.Root>
    </div>
  );
}
