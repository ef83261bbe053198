// The head of a room: where it is, what it is called, what can be done here.

import { Link, type LinkProps } from "@tanstack/react-router";
import { useEffect, type ReactNode } from "react";

export interface Crumb {
  text: string;
  to?: LinkProps["to"];
}

export function Room(props: {
  title: string;
  crumbs?: readonly Crumb[];
  about?: ReactNode;
  actions?: ReactNode;
  beside?: ReactNode;
  children: ReactNode;
}) {
  const { title } = props;
  useEffect(() => {
    document.title = `${title} · DeltaGlider Proxy`;
  }, [title]);
  return (
    <main className="room" id="room" tabIndex={-1}>
      <div className="room-head">
        <div className="grow">
          {props.crumbs?.length ? (
            <nav className="crumbs" aria-label="Breadcrumb">
              {props.crumbs.map((crumb, index) => (
                <span key={crumb.text} className="row">
                  {index > 0 ? <span aria-hidden="true">›</span> : null}
                  {crumb.to ? <Link to={crumb.to}>{crumb.text}</Link> : crumb.text}
                </span>
              ))}
            </nav>
          ) : null}
          <div className="row">
            <h1>{title}</h1>
            {props.beside}
          </div>
          {props.about ? <p className="quiet">{props.about}</p> : null}
        </div>
        {props.actions ? <div className="row">{props.actions}</div> : null}
      </div>
      {props.children}
    </main>
  );
}
